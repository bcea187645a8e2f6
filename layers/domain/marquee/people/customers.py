"""Customers of an organization, for its staff: people who came to it, and walk-ins, who have no account.

An address that staff enter is not verified. It is kept with the organization's record and never links the record to an
account by itself (docs/decisions/0016-verified-addresses.md).
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from marquee.booking.bookings import PaymentMethod, Status
from marquee.core import csv_files, paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer, Request
from marquee.core.text_types import ADDRESS_LENGTH_MAX, NOT_IN_LINES, Name, Text, is_address
from marquee.organizations.fields import Changes, absent
from marquee.people.invitations import Language

TAGS_MAX = 20
COLUMNS = (
    "id", "name", "email", "phone", "language", "walk_in", "tags", "blocked_at", "created_at",
)  # fmt: skip
"""The columns of a file of customers. Commas separate tags."""


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("write a plain e-mail address, such as ana@example.org")
    return value


def _different(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise ValueError("write each tag once")
    return value


Address = Annotated[
    str,
    Field(min_length=3, max_length=ADDRESS_LENGTH_MAX, json_schema_extra={"format": "email"}),
    AfterValidator(_address),
]
"""An e-mail address as staff enter it, which is not verified."""

Phone = Annotated[
    str, Field(min_length=5, max_length=31, pattern=r"^\+?[0-9][0-9 ()./-]{3,29}$", examples=["+41 79 123 45 67"])
]
"""A phone number as people write it: digits, and the signs between them."""

_TAG_PATTERN = f"^[^ ,{NOT_IN_LINES}]([^,{NOT_IN_LINES}]{{0,38}}[^ ,{NOT_IN_LINES}])?$"


def _tag(value: str) -> str:
    if re.fullmatch(_TAG_PATTERN[1:-1], value) is None:
        raise ValueError("write one line without commas, and without spaces at its ends")
    return value


Tag = Annotated[
    str, Field(min_length=1, max_length=40, json_schema_extra={"pattern": _TAG_PATTERN}), AfterValidator(_tag)
]
"""A tag that staff give customers: one line without commas."""

Tags = Annotated[list[Tag], Field(max_length=TAGS_MAX), AfterValidator(_different)]
Note = Annotated[Text, Field(min_length=1, max_length=2000)]


class WalkInRequest(Request):
    """A person without an account, as staff enter them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Ana Meier", "email": "ana@example.org", "phone": "+41 79 123 45 67"}]}
    )

    name: Name
    email: Address | None = None
    phone: Phone | None = None
    language: Annotated[Language | None, Field(description="Null: the organization's language.")] = None
    note: Note | None = None
    tags: Annotated[Tags, Field(default_factory=list)]


class Customer(Answer):
    """A customer of an organization."""

    id: Annotated[UUID, Field(description="The person's id, by which staff book for them.")]
    organization_id: UUID
    name: str | None
    email: Annotated[
        str | None,
        Field(description="The verified address of an account. Of a walk-in, the address that staff entered."),
    ]
    phone: str | None
    language: str
    walk_in: Annotated[bool, Field(description="Whether staff entered this person, who has no account.")]
    tags: list[str]
    blocked_at: Annotated[datetime | None, Field(description="Null: the customer is not blocked.")]
    created_at: Annotated[datetime, Field(description="When the person first came, or was entered.")]


class CustomerNote(Answer):
    """A note of an organization's staff about a customer."""

    id: UUID
    customer_id: UUID
    note: str
    author_id: Annotated[UUID | None, Field(description="Null: the service, or a person who was erased.")]
    author_name: str | None
    created_at: datetime


class CustomerBooking(Answer):
    """A booking of a customer at the organization."""

    id: UUID
    event_id: UUID
    event_title: str
    starts_at: datetime
    time_zone: str
    seats: int
    status: Status
    payment_method: PaymentMethod
    price_cents: int
    fee_cents: int
    currency: str
    is_unpaid: Annotated[bool, Field(description="Whether money is still to be received.")]
    created_at: datetime


class CustomerWait(Answer):
    """A waitlist entry of a customer at the organization."""

    id: UUID
    event_id: UUID
    event_title: str
    starts_at: datetime
    time_zone: str
    seats: int
    status: Literal["waiting", "offered", "accepted", "expired", "left"]
    joined_at: datetime


class CustomerCredit(Answer):
    """Credits that a customer can use at the organization."""

    id: UUID
    kind: Literal["wallet", "pass"]
    currency: Annotated[str | None, Field(description="Null: a pass.")]
    remaining: Annotated[int, Field(description="Cents of wallet money, or units of a pass.")]
    expires_at: datetime | None


class CustomerFee(Answer):
    """A fee of a customer at the organization."""

    id: UUID
    booking_id: UUID
    kind: Literal["no_show", "late_cancellation"]
    amount_cents: int
    currency: str
    status: Literal["owed", "paid", "taken_back"]
    charged_at: datetime


class CustomerDetail(Customer):
    """A customer with everything that the organization has about them."""

    block_reason: str | None
    blocked_by: UUID | None
    notes: Annotated[list[CustomerNote], Field(description="All notes, newest first.")]
    bookings: Annotated[list[CustomerBooking], Field(description="The latest 50.")]
    waitlist_entries: Annotated[list[CustomerWait], Field(description="The latest 50.")]
    credits: list[CustomerCredit]
    fees: Annotated[list[CustomerFee], Field(description="The latest 50.")]


class CustomerEdit(Changes):
    """Changes of a customer; members that are not sent stay. All but the tags are those of a walk-in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["choir"]}]})

    name: Name = absent()
    email: Address | None = None
    phone: Phone | None = None
    language: Language = absent()
    tags: Tags = absent()


class NoteRequest(Request):
    """A note about a customer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Needs a seat near the door."}]})

    note: Note


class BlockRequest(Request):
    """The reason for blocking a customer, for the staff alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Broke the house rules."}]})

    reason: Annotated[Text, Field(min_length=1, max_length=500)] | None = None


@dataclass(frozen=True, slots=True)
class CustomerFilters:
    """A selection of customers. None selects all."""

    q: str | None = None
    tag: str | None = None
    blocked: bool | None = None

    def given(self, organization_id: UUID, most: int, after: tuple[Any, ...] | None) -> dict[str, Any]:
        """Return the parameters of the query."""
        key, last_id = after or (None, None)
        return {
            "organization_id": organization_id, "q": self.q, "tag": self.tag, "blocked": self.blocked,
            "after_key": key, "after_id": last_id, "most": most,
        }  # fmt: skip


_CUSTOMERS = """
select c.*
from organizations.list_customers(
    organization_id => %(organization_id)s, q => %(q)s, tag => %(tag)s, blocked => %(blocked)s,
    after_key => %(after_key)s, after_id => %(after_id)s::uuid, most => %(most)s
) as c
"""


def list_all(
    session: Session, organization_id: UUID, filters: CustomerFilters, limit: int, cursor: str | None
) -> paging.Page[Customer]:
    """List an organization's customers: by name, or those whom a text finds by the first matching word.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    after = paging.after(cursor, str, UUID)
    rows = session.all(_CUSTOMERS, filters.given(organization_id, limit + 1, after))
    return paging.page(
        rows, limit, lambda row: Customer.model_validate(row["answer"]), lambda row: (row["key"], row["answer"]["id"])
    )


def create(session: Session, organization_id: UUID, request: WalkInRequest, idempotency_key: str | None) -> Customer:
    """Enter a person without an account.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 organization_not_found, 409 customer_exists and
    too_many_walk_ins, 422 idempotency_conflict and invalid_request.
    """
    return Customer.model_validate(
        session.value(
            """
            select organizations.create_customer(
                organization_id => %s, details => %s::jsonb, idempotency_key => %s
            )
            """,
            [organization_id, json.dumps(request.model_dump()), idempotency_key],
        )
    )


def customers_csv(session: Session, organization_id: UUID, filters: CustomerFilters) -> str:
    """Return an organization's customers as CSV. Refuses as list_all does, and 422 for too many customers."""
    rows = session.all(_CUSTOMERS, filters.given(organization_id, csv_files.ROWS_MAX + 1, None))
    if len(rows) > csv_files.ROWS_MAX:
        raise Refused(422, "invalid_request", f"There are more than {csv_files.ROWS_MAX} customers. Choose a filter.")
    answers = [row["answer"] for row in rows]
    return csv_files.write(COLUMNS, [{**answer, "tags": ",".join(answer["tags"])} for answer in answers])


def show(session: Session, organization_id: UUID, customer_id: UUID) -> CustomerDetail:
    """Return a customer. Refuses: 403 forbidden, 404 customer_not_found and organization_not_found."""
    return CustomerDetail.model_validate(
        session.value(
            "select organizations.show_customer(organization_id => %s, customer_id => %s)",
            [organization_id, customer_id],
        )
    )


def edit(session: Session, organization_id: UUID, customer_id: UUID, request: CustomerEdit) -> CustomerDetail:
    """Change a customer.

    Refuses: 403 forbidden, 404 customer_not_found and organization_not_found, 409 customer_exists and
    customer_has_account.
    """
    return CustomerDetail.model_validate(
        session.value(
            "select organizations.update_customer(organization_id => %s, customer_id => %s, changes => %s::jsonb)",
            [organization_id, customer_id, json.dumps(request.sent())],
        )
    )


def add_note(
    session: Session, organization_id: UUID, customer_id: UUID, request: NoteRequest, idempotency_key: str | None
) -> CustomerNote:
    """Add a note about a customer.

    Refuses: 403 forbidden, 404 customer_not_found, note_not_found and organization_not_found, 409 too_many_notes, 422
    idempotency_conflict.
    """
    return CustomerNote.model_validate(
        session.value(
            """
            select organizations.add_customer_note(
                organization_id => %s, customer_id => %s, note => %s, idempotency_key => %s
            )
            """,
            [organization_id, customer_id, request.note, idempotency_key],
        )
    )


def delete_note(session: Session, organization_id: UUID, customer_id: UUID, note_id: UUID) -> None:
    """Delete a note. Refuses: 403 forbidden, 404 customer_not_found, note_not_found and organization_not_found."""
    session.value(
        "select organizations.delete_customer_note(organization_id => %s, customer_id => %s, note_id => %s)",
        [organization_id, customer_id, note_id],
    )


def block(session: Session, organization_id: UUID, customer_id: UUID, request: BlockRequest) -> CustomerDetail:
    """Refuse a customer from now on. Refuses: 403 forbidden, 404 customer_not_found and organization_not_found."""
    return CustomerDetail.model_validate(
        session.value(
            "select organizations.block_customer(organization_id => %s, customer_id => %s, reason => %s)",
            [organization_id, customer_id, request.reason],
        )
    )


def unblock(session: Session, organization_id: UUID, customer_id: UUID) -> CustomerDetail:
    """Let a customer book again. Refuses: 403 forbidden, 404 customer_not_found and organization_not_found."""
    return CustomerDetail.model_validate(
        session.value(
            "select organizations.unblock_customer(organization_id => %s, customer_id => %s)",
            [organization_id, customer_id],
        )
    )
