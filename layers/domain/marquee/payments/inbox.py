"""The inbox of Stripe events: each is stored once before the response, handled later, and found by its id."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marquee.core import database
from marquee.core.models import Answer

LEASE_SECONDS = 90
DUE_MOST = 200

EventId = Annotated[str, Field(pattern=r"^evt_[A-Za-z0-9_]{1,250}$", examples=["evt_1SampleAAAAAAAAAAAAAAAAAA"])]


class NotAnEvent(Exception):
    """The body is signed, but it is not an event that can be stored."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    object: dict[str, Any]


class Event(BaseModel):
    """The parsed members of an event. Only the part of its payload that handling needs is stored: no personal data."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, strict=True)

    object: Literal["event"]
    id: EventId
    type: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")]
    created: Annotated[int, Field(ge=0, le=253_402_300_799)]
    livemode: bool
    data: _Data
    account: Annotated[str | None, Field(pattern=r"^acct_[A-Za-z0-9]{1,250}$")] = None
    api_version: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = None

    def row(self) -> dict[str, Any]:
        """Return the event in the form of payments.receive_webhooks."""
        return {
            "event_id": self.id,
            "account": self.account,
            "type": self.type,
            "api_version": self.api_version,
            "livemode": self.livemode,
            "created_at": datetime.fromtimestamp(self.created, UTC).isoformat(),
            "payload": json.dumps(_reduced(self)),
        }


KEPT = ("id", "object", "status", "amount", "currency", "payment_intent")
"""The stored members of an event's thing. Client secrets, billing details, addresses and metadata are not stored."""


def _reduced(event: Event) -> dict[str, Any]:
    """Return an event without personal data; an expanded PaymentIntent becomes its id.

    The database repeats this.
    """
    thing = event.data.object
    payment = thing.get("payment_intent")
    ids = {"payment_intent": payment.get("id")} if isinstance(payment, dict) else {}
    kept = {name: value for name, value in ({**thing, **ids}).items() if name in KEPT and _is_plain(value)}
    return {
        "id": event.id,
        "object": event.object,
        "type": event.type,
        "created": event.created,
        "data": {"object": kept},
    }


def _is_plain(value: Any) -> bool:
    """Return whether PostgreSQL can store it as a JSON value: a number, or a text without NUL."""
    return isinstance(value, int) or (isinstance(value, str) and "\0" not in value)


class Receipt(Answer):
    """The receipt of an event: its id, and whether it was already stored."""

    event_id: str
    duplicate: bool
    status: Literal["received", "failed", "handled", "ignored", "parked"]

    @property
    def waits(self) -> bool:
        """Whether the event still has to be handled."""
        return self.status in ("received", "failed")


class Replayed(Answer):
    """An event that will be handled again."""

    event_id: str
    type: str
    status: str
    received_at: datetime


class Claimed(BaseModel):
    """An event that is leased to us for handling; `attempts` includes this one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    event_id: str
    account: str | None
    type: str
    created_at: datetime
    payload: dict[str, Any]
    attempts: int

    @property
    def thing(self) -> dict[str, Any]:
        """The thing of the event, as it was when sent; fetch it again instead of trusting it."""
        found: dict[str, Any] = self.payload["data"]["object"]
        return found


def parse(body: bytes) -> Event:
    """Parse a body whose signature was verified. Raises NotAnEvent."""
    try:
        return Event.model_validate(json.loads(body.decode()))
    except (ValueError, RecursionError, ValidationError) as error:
        raise NotAnEvent(type(error).__name__) from error


def receive(session: database.Session, event: Event) -> Receipt:
    """Store an event, in one statement. Refuses 400 foreign_account."""
    return receive_all(session, [event.row()])[0]


def receive_all(session: database.Session, rows: Sequence[dict[str, Any]], *, caught_up: bool = False) -> list[Receipt]:
    """Store several events, in one statement; `rows` come from `Event.row`."""
    stored = session.all(
        "select r.* from payments.receive_webhooks(events => %s::jsonb, caught_up => %s) as r",
        [json.dumps(list(rows)), caught_up],
    )
    return [Receipt(event_id=row["event_id"], duplicate=not row["is_new"], status=row["status"]) for row in stored]


def claim(event_id: str) -> Claimed | None:
    """Lease an event for handling; None if it was handled, or another worker has it."""
    with database.single(database.service()) as session:
        row = session.one(
            "select c.* from payments.claim_inbox(event => %s, lease_seconds => %s) as c", [event_id, LEASE_SECONDS]
        )
    return None if row is None else Claimed.model_validate(row)


def finish(event_id: str, result: dict[str, Any], *, is_ignored: bool) -> None:
    """Record that an event was handled or ignored."""
    with database.single(database.service()) as session:
        session.value(
            "select payments.finish_inbox(event_id => %s, result => %s::jsonb, is_ignored => %s)",
            [event_id, json.dumps(result, default=str), is_ignored],
        )


def fail(event_id: str, error: str, *, is_postponed: bool) -> str | None:
    """Record that handling an event failed. Returns its status: failed or parked."""
    with database.single(database.service()) as session:
        standing: str | None = session.value(
            "select payments.fail_inbox(event_id => %s, error => %s, is_postponed => %s)",
            [event_id, error, is_postponed],
        )
    return standing


def due(most: int = DUE_MOST) -> list[str]:
    """Return the ids of pending events without a message."""
    with database.single(database.service()) as session:
        ids: list[str] = session.value("select payments.due_inbox(most => %s)", [most])
    return ids


def replay(session: database.Session, event_id: str) -> Replayed:
    """Mark an event to be handled again. Refuses 401, 403 (not the service), 404 webhook_not_found."""
    return Replayed.model_validate(session.value("select payments.replay_inbox(event_id => %s)", [event_id]))
