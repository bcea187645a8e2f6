"""What organizers are told of their money: opening, movements and closing over days, as figures and as lines."""

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
# A function's answer has six megabytes at most; a line has 150 bytes.
LINES_MOST = 30_000
COLUMNS = ("recorded_at", "kind", "reference_type", "reference_id", "amount_cents", "currency", "transaction_id")


class Movement(Answer):
    """All movements of a kind together: positive when the organizer got more."""

    kind: str
    count: int
    amount_cents: int


class Statement(Answer):
    """What an organizer had with us, what moved, what it has; opening and movements come to closing."""

    organization_id: UUID
    currency: str
    time_zone: str
    first_day: date
    last_day: date
    opening_cents: int
    movements: list[Movement]
    closing_cents: Annotated[int, Field(description="What is still to be paid out at the end of the last day.")]


class Total(Answer):
    """Debits less credits of all accounts of a type; of the whole currency, always zero, where the type is null."""

    currency: str
    type: str | None
    amount_cents: int


class TrialBalance(Answer):
    """All accounts by type: a sound ledger comes to zero in each currency."""

    totals: list[Total]


def of_organizer(
    session: Session, organization_id: UUID, first_day: date, last_day: date, currency: str | None
) -> Statement:
    """An organizer's statement, for those who keep its money. Refuses: 404 organization_not_found."""
    answer = session.value(
        "select payments.organizer_statement(organization_id => %s, first_day => %s, last_day => %s, currency => %s)",
        [organization_id, first_day, last_day, currency],
    )
    return Statement.model_validate(answer)


def as_csv(session: Session, organization_id: UUID, first_day: date, last_day: date, currency: str | None) -> str:
    """The single movements of a statement as CSV with a header (RFC 4180).

    Refuses: 404 organization_not_found, 422 invalid_request, when there are more than 30,000: never a part of them.
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
        from payments.statement_lines_of(
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
        raise Refused(422, "invalid_request", f"There are more than {LINES_MOST} movements: choose fewer days.")
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    lines.writeheader()
    lines.writerows({**row, "recorded_at": row["recorded_at"].isoformat()} for row in rows)
    return text.getvalue()


def trial_balance(session: Session) -> TrialBalance:
    """The totals of all accounts, for the service."""
    rows = session.all("select t.* from payments.trial_balance() as t")
    return TrialBalance(totals=[Total.model_validate(row) for row in rows])
