"""Booking policies: when events can be booked and cancelled, and at which cost."""

import json
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Whole
from marquee.organizations import fields
from marquee.organizations.fields import Changes, absent

OpensDays = Annotated[Whole, Field(ge=0, le=730, description="Booking opens this many days before. Null: at once.")]
ClosesMinutes = Annotated[
    Whole, Field(ge=-1440, le=43200, description="Sales end this many minutes before the start; negative: after it.")
]
CancelHours = Annotated[Whole, Field(ge=0, le=2160, description="A later cancellation is late.")]
Cents = Annotated[Whole, Field(ge=0, le=100_000_000)]
Percent = Annotated[Whole, Field(ge=0, le=100, description="The refunded share of a late cancellation's price.")]
SeatsMost = Annotated[Whole, Field(ge=1, le=1000, description="Seats per customer. Null: the platform's maximum.")]
NoShowMinutes = Annotated[
    Whole, Field(ge=0, le=10080, description="Unmarked bookings become no-shows this long after the end. Null: never.")
]
NoShowsMost = Annotated[
    Whole, Field(ge=1, le=100, description="A customer with so many no-shows cannot book online. Null: no limit.")
]
NoShowDays = Annotated[Whole, Field(ge=1, le=730, description="How long a no-show counts for this limit.")]
RefundTo = Literal["original", "wallet"]


class PolicyRequest(Changes):
    """A new booking policy."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Classes", "cancel_hours_before": 12}]})

    name: fields.Title
    opens_days_before: OpensDays | None = None
    closes_minutes_before: ClosesMinutes = 0
    cancel_hours_before: CancelHours = 24
    late_fee_cents: Cents = 0
    late_refund_percent: Percent | None = None
    late_credit_lost: Flag = True
    no_show_fee_cents: Cents = 0
    refund_to: RefundTo = "original"
    seats_max_per_person: SeatsMost | None = 20
    no_show_after_minutes: NoShowMinutes | None = None
    blocked_after_no_shows: NoShowsMost | None = None
    no_shows_within_days: NoShowDays = 90


class PolicyEdit(Changes):
    """Changes of a policy; omitted members stay the same. Events and bookings keep their terms."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"late_fee_cents": 500}]})

    name: fields.Title = absent()
    opens_days_before: OpensDays | None = None
    closes_minutes_before: ClosesMinutes = absent()
    cancel_hours_before: CancelHours = absent()
    late_fee_cents: Cents = absent()
    late_refund_percent: Percent | None = None
    late_credit_lost: Flag = absent()
    no_show_fee_cents: Cents = absent()
    refund_to: RefundTo = absent()
    seats_max_per_person: SeatsMost | None = None
    no_show_after_minutes: NoShowMinutes | None = None
    blocked_after_no_shows: NoShowsMost | None = None
    no_shows_within_days: NoShowDays = absent()
    archived: Annotated[Flag, Field(description="An archived policy cannot be chosen any more.")] = absent()


class Policy(Answer):
    """A booking policy."""

    id: UUID
    organization_id: UUID
    name: str
    opens_days_before: int | None
    closes_minutes_before: int
    cancel_hours_before: int
    late_fee_cents: int
    late_refund_percent: int | None
    late_credit_lost: bool
    no_show_fee_cents: int
    refund_to: RefundTo
    seats_max_per_person: int | None
    no_show_after_minutes: int | None
    blocked_after_no_shows: int | None
    no_shows_within_days: int
    archived_at: datetime | None
    created_at: datetime


class Policies(Answer):
    """The booking policies of an organization, by name, archived ones included."""

    items: list[Policy]


def save(
    session: Session, organization_id: UUID, request: PolicyRequest | PolicyEdit, policy_id: UUID | None = None
) -> Policy:
    """Create a policy, or change one.

    Refuses: 403 forbidden, 404 organization_not_found, policy_not_found, 409 too_many_places.
    """
    answer = session.value(
        "select organizations.save_policy(organization_id => %s, changes => %s::jsonb, policy_id => %s)",
        [organization_id, json.dumps(request.sent()), policy_id],
    )
    return Policy.model_validate(answer)


def list_policies(session: Session, organization_id: UUID) -> Policies:
    """Return the policies of an organization, for its members. Refuses: 403 forbidden, 404 organization_not_found."""
    rows = session.all("select p.* from organizations.list_policies(organization_id => %s) as p", [organization_id])
    return Policies(items=[Policy.model_validate(row) for row in rows])
