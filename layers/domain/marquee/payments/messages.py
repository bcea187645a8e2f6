"""Messages between functions: those of StripeEventsQueue and RefundsQueue.

Unknown members are refused, so that sender and receiver cannot drift apart unnoticed, and each kind of message is
recognized. A message of RefundsQueue names its queue, because one function reads both.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HandleEvent(_Message):
    """Handle a Stripe event of the inbox."""

    event_id: Annotated[str, Field(examples=["evt_1SampleAAAAAAAAAAAAAAAAAA"])]


class ListEvents(_Message):
    """Fetch Stripe's events of an hour, and store those that the inbox lacks."""

    begins_at: datetime
    ends_at: datetime


class ListAccountEvents(_Message):
    """Fetch the events of an organizer's account in a period, and store those that the inbox lacks."""

    account: str
    begins_at: datetime
    ends_at: datetime


class ListBalance(_Message):
    """Fetch the transactions of Stripe's balance in an hour, and store them."""

    balance_begins_at: datetime
    balance_ends_at: datetime


class SendRefunds(_Message):
    """Send due refunds to Stripe."""

    model_config = ConfigDict(json_schema_extra={"queue": "RefundsQueue"})

    refunds: Literal["due"] = "due"
