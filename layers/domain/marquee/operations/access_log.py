"""The access log: who read personal data of an organization's people."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer

Operation = Literal[
    "access_log",
    "audit",
    "booking",
    "booking_names",
    "fees",
    "invitations",
    "invoice",
    "invoice_page",
    "invoices",
    "members",
    "payment",
    "purchase",
    "rater",
    "rating_events",
    "refunds",
    "roster",
    "statement_lines",
    "waitlist",
    "webhook_deliveries",
]


def _spelled(value: str) -> str:
    """Return a UUID in the spelling of the log; raters have other ids too, which stay unchanged."""
    try:
        return str(UUID(value))
    except ValueError:
        return value


PersonId = Annotated[
    str, Field(min_length=1, max_length=128, description="A customer's or a rater's id."), AfterValidator(_spelled)
]


class AccessEntry(Answer):
    """One read of personal data: by whom, of whom, how much and when."""

    id: UUID
    accessed_at: datetime
    organization_id: Annotated[UUID | None, Field(description="The organization of the customers.")]
    operation: Operation
    caller_id: Annotated[UUID | None, Field(description="The reader. Null for the service.")]
    caller_name: str | None
    caller_role: Literal["authenticated", "service_role"]
    event_id: UUID | None
    people: Annotated[list[str], Field(description="Ids of the people or raters. Empty if the rows name nobody.")]
    row_count: int
    request_id: Annotated[str | None, Field(description="The id of the request in the logs.")]


def entries(session: Session, person: str | None, limit: int, cursor: str | None) -> paging.Page[AccessEntry]:
    """List reads, newest first; with a person, only the reads about them. Refuses: 403 forbidden."""
    before = paging.after(cursor, datetime, UUID)
    rows = session.all(
        "select a.* from ops.list_accesses(person => %s, before_at => %s, before_id => %s, most => %s) as a",
        [person, before[0] if before else None, before[1] if before else None, limit + 1],
    )
    return paging.page(rows, limit, AccessEntry.model_validate, lambda row: (row["accessed_at"], row["id"]))
