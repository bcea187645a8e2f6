"""Organizers' statements: opening, movements and closing over a range of days, as figures and as lines."""

import csv
import io
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core.database import Access, Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

CSV = "text/csv; charset=utf-8"
# A function's response has at most six megabytes; a line has 150 bytes.
LINES_MOST = 30_000
COLUMNS = ("recorded_at", "kind", "reference_type", "reference_id", "amount_cents", "currency", "transaction_id")


class Movement(Answer):
    """The total of all movements of a kind: positive if the organizer received money."""

    kind: str
    count: int
    amount_cents: int


class Statement(Answer):
    """An organizer's statement: opening plus movements equals closing, as opening plus revenue plus settled does."""

    organization_id: UUID
    currency: str
    time_zone: str
    first_day: date
    last_day: date
    opening_cents: int
    movements: list[Movement]
    revenue_cents: Annotated[int, Field(description="All movements except settlements; as in the analytics.")]
    settled_cents: Annotated[
        int, Field(description="Transfers, and payments that the organizer received itself: usually negative.")
    ]
    closing_cents: Annotated[int, Field(description="The amount still to be paid out at the end of the last day.")]


class Total(Answer):
    """Debits minus credits of all accounts of a type, or of the whole currency (always zero) if the type is null."""

    currency: str
    type: str | None
    amount_cents: int


class TrialBalance(Answer):
    """All accounts by type. A correct ledger sums to zero in each currency."""

    totals: list[Total]


def read_statement(
    session: Session, organization_id: UUID, first_day: date, last_day: date, currency: str | None
) -> Statement:
    """Return an organizer's statement, for its bookkeepers. Refuses: 404 organization_not_found."""
    answer = session.value(
        "select payments.organizer_statement(organization_id => %s, first_day => %s, last_day => %s, currency => %s)",
        [organization_id, first_day, last_day, currency],
    )
    return Statement.model_validate(answer)


def as_csv(session: Session, organization_id: UUID, first_day: date, last_day: date, currency: str | None) -> str:
    """Return the single movements of a statement as CSV with a header (RFC 4180).

    Refuses: 404 organization_not_found, 422 invalid_request if there are more than 30,000. It never returns a part of
    them.
    """
    rows = session.all(
        """
        select
            l.*,
            %(organization_id)s::uuid as organization_id,
            coalesce(
                %(currency)s::text,
                (select o.currency from organizations.organizations as o where o.id = %(organization_id)s)
            ) as currency
        from payments.organizer_statement_lines(
            organization_id => %(organization_id)s, first_day => %(first_day)s, last_day => %(last_day)s,
            currency => %(currency)s
        ) as l
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "first_day": first_day,
            "last_day": last_day,
            "currency": currency,
            "most": LINES_MOST + 1,
        },
        access=Access("statement_lines", person=None),
    )
    if len(rows) > LINES_MOST:
        raise Refused(422, "invalid_request", f"There are more than {LINES_MOST} movements. Choose fewer days.")
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    lines.writeheader()
    lines.writerows({**row, "recorded_at": row["recorded_at"].isoformat()} for row in rows)
    return text.getvalue()


def trial_balance(session: Session) -> TrialBalance:
    """Return the totals of all accounts, for the service."""
    rows = session.all("select t.* from payments.trial_balance() as t")
    return TrialBalance(totals=[Total.model_validate(row) for row in rows])
