"""Messages between functions: those of StripeEventsQueue and RefundsQueue.

Unknown members are refused, so that sender and receiver cannot drift apart unnoticed, and each kind of message is
recognized.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HandleEvent(_Message):
    """A Stripe event in the inbox is to be handled."""

    event_id: str


class ListEvents(_Message):
    """Stripe may have events of this hour that the inbox lacks."""

    begins_at: datetime
    ends_at: datetime


class ListAccountEvents(_Message):
    """Stripe may have events of an organizer's account, in this period, that the inbox lacks."""

    account: str
    begins_at: datetime
    ends_at: datetime


class ListBalance(_Message):
    """The transactions of Stripe's balance in this hour are to be stored."""

    balance_begins_at: datetime
    balance_ends_at: datetime


class SendRefunds(_Message):
    """Refunds are to be sent to Stripe."""

    refunds: Literal["due"] = "due"
