"""What functions ask of one another: the messages of StripeEventsQueue and RefundsQueue.

Unknown members are refused, so that sender and receiver cannot drift apart unseen, and messages are told apart.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HandleEvent(_Message):
    """An event of Stripe waits in the inbox."""

    event_id: str


class ListEvents(_Message):
    """Stripe may have events of this hour that are not in the inbox."""

    begins_at: datetime
    ends_at: datetime


class ListAccountEvents(_Message):
    """Stripe may have events of an organizer's account, of this time, that are not in the inbox."""

    account: str
    begins_at: datetime
    ends_at: datetime


class ListBalance(_Message):
    """What moved in Stripe's balance in this hour is to be kept."""

    balance_begins_at: datetime
    balance_ends_at: datetime


class SendRefunds(_Message):
    """Refunds wait to be sent to Stripe."""

    refunds: Literal["due"] = "due"
