"""Fees for not attending and for late cancellations: list them, record their payment, waive them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Request, TotalCents
from marquee.core.text_types import Text

Status = Literal["owed", "paid", "taken_back"]


class Fee(Answer):
    """The fee for not attending, or for cancelling a booking without a price late."""

    id: UUID
    booking_id: UUID
    kind: Literal["no_show", "late_cancellation"]
    organization_id: UUID
    customer_id: UUID
    amount_cents: int
    currency: str
    paid_from: Annotated[
        Literal["wallet", "owed"],
        Field(description="wallet: paid from the wallet when it was charged. owed: still to be paid."),
    ]
    charged_at: datetime
    paid_at: datetime | None
    taken_back_at: datetime | None
    reason: Annotated[str | None, Field(description="The reason why it was waived.")]
    status: Annotated[Status, Field(description="taken_back: the fee was waived, or attendance was corrected.")]


class WaiveRequest(Request):
    """The reason for waiving a fee."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The customer was ill."}]})

    reason: Annotated[Text, Field(min_length=1, max_length=500)] | None = None


class FeePaymentRequest(Request):
    """The fee that was paid."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    total_cents: TotalCents | None = None


def visible(
    session: Session, organization_id: UUID | None, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Fee]:
    """List the caller's own fees, or an organization's for its staff, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select f.*
        from payments.fee_states as f
        where
            case
                when %(organization_id)s::uuid is null then f.customer_id = (select ops.caller_id())
                else f.organization_id = %(organization_id)s::uuid
            end
            and (%(status)s::text is null or f.status = %(status)s::text)
            and (%(after)s::uuid is null or f.id < %(after)s::uuid)
        order by f.id desc
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "status": status,
            "after": after[0] if after else None,
            "most": limit + 1,
        },
        access=Access("fees", most=limit),
    )
    return paging.page(rows, limit, Fee.model_validate, lambda row: (row["id"],))


def record_payment(session: Session, fee_id: UUID, request: FeePaymentRequest) -> Fee:
    """Record that a fee was paid; once. Refuses: 404 fee_not_found, 409 nothing_to_pay and price_changed."""
    query = "select payments.record_fee_payment(fee_id => %s, total_cents => %s) as answer"
    given = [fee_id, request.total_cents]
    return Fee.model_validate(session.value(query, given, access=Access.of_answer("record_fee_payment")))


def waive(session: Session, fee_id: UUID, request: WaiveRequest) -> Fee:
    """Waive a fee; once. Refuses: 404 fee_not_found."""
    query = "select payments.waive_fee(fee_id => %s, reason => %s) as answer"
    answer = session.value(query, [fee_id, request.reason], access=Access.of_answer("waive_fee"))
    return Fee.model_validate(answer)
