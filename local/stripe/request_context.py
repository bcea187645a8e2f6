"""The context of one request: the objects that it sees and changes, and the events that it causes."""

import json
from dataclasses import dataclass, field

from local.stripe.deliveries import enqueue
from local.stripe.errors import unknown
from local.stripe.identity import new_id
from local.stripe.store import Json, Store

API_VERSION = "2026-10-28.endive"
NAMES = {
    "payment_method": "PaymentMethod",
    "checkout.session": "checkout.session",
    "transfer_reversal": "transfer reversal",
}
TELLS_WHAT_WAS = {"charge.refunded", "charge.captured", "transfer.reversed"}


@dataclass(frozen=True, slots=True)
class Pace:
    """The durations of Stripe's own processes, in seconds of the stand-in's clock."""

    settle_seconds: float = 1.0
    refund_seconds: float = 5.0
    dispute_seconds: float = 2.0
    payout_seconds: float = 2 * 86_400
    available_days: int = 2
    authorization_seconds: float = 7 * 86_400


@dataclass(slots=True)
class RequestContext:
    """The context of a handler. `now` does not change within a request; `url` is the stand-in's address."""

    store: Store
    pace: Pace
    now: int
    account: str
    platform: str
    url: str
    request_id: str | None = None
    key: str | None = None
    publishable: bool = False
    _seen: dict[str, Json] = field(default_factory=dict)
    _before: dict[str, str] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        """Whether this is a connected account's own work."""
        return self.account != self.platform

    def on(self, account: str) -> "RequestContext":
        """Return the same work in another account."""
        if account == self.account:
            return self
        return RequestContext(
            self.store,
            self.pace,
            self.now,
            account,
            self.platform,
            self.url,
            self.request_id,
            self.key,
            self.publishable,
            self._seen,
            self._before,
        )

    def find(self, kind: str, id: str) -> Json | None:
        """Return an object of this account, the same one each time; None if there is none."""
        if id in self._seen:
            found = self._seen[id]
            return found if found["object"] == kind and self.store.owner(kind, id) == self.account else None
        loaded = self.store.get(self.account, kind, id)
        if loaded is not None:
            self._seen[id] = loaded
            self._before[id] = json.dumps(loaded)
        return loaded

    def get(self, kind: str, id: str, param: str | None = None) -> Json:
        """Return an object of this account; raises Refused (resource_missing) if there is none."""
        found = self.find(kind, id)
        if found is None:
            raise unknown(NAMES.get(kind, kind), id, param)
        return found

    def add(self, made: Json) -> Json:
        """Store a new object."""
        self._seen[made["id"]] = made
        self._before[made["id"]] = self.store.put(self.account, made)
        return made

    def save(self, changed: Json) -> Json:
        """Store a changed object."""
        self.store.put(self.account, changed)
        return changed

    def emit(self, type: str, subject: Json, *also: str, stored: bool = True) -> None:
        """Store the object, and an event with its new state; for updates also the old values. `also`: further types."""
        text = self.store.put(self.account, subject) if stored else json.dumps(subject)
        was = self._before.get(subject["id"], text)
        self._before[subject["id"]] = text
        for each in (type, *also):
            self._event(each, text, was)

    def _event(self, type: str, text: str, was: str) -> None:
        data: Json = {"object": json.loads(text)}
        if type.endswith(".updated") or type in TELLS_WHAT_WAS:
            data["previous_attributes"] = previous(json.loads(was), data["object"])
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.key},
            "type": type,
        }
        if self.connected:
            event["account"] = self.account
        self.store.put(self.account, event)
        enqueue(self, event)

    def later(self, seconds: float, work: str, subject: str) -> None:
        """Schedule a task after so much time."""
        self.store.run(
            "insert into tasks (due, account, work, subject) values (?, ?, ?, ?)",
            (self.now + seconds, self.account, work, subject),
        )


def previous(was: Json, now: Json) -> Json:
    """Return the former values of changed fields; within hashes only the changed keys."""
    found: Json = {}
    for name in was.keys() | now.keys():
        old, new = was.get(name), now.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and "object" not in old:
            found[name] = previous(old, new)
        else:
            found[name] = old
    return dict(sorted(found.items()))
