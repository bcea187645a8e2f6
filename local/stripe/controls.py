"""Controls for tests, for which Stripe has no API: /_stand_in/…, JSON in and out."""

import json
import math
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from local.stripe import (
    accounts,
    balances,
    checkout,
    confirmation,
    deliveries,
    disputes,
    faults,
    payouts,
    refunds,
    tasks,
    webhook_endpoints,
)
from local.stripe.delivery_order import in_order
from local.stripe.errors import Refused, invalid, malformed, unrecognized
from local.stripe.identity import new_secret
from local.stripe.request_context import RequestContext
from local.stripe.sender import Sender
from local.stripe.service import Answer, Request, Service, encoded
from local.stripe.store import Json

PREFIX = "/_stand_in"
DRAIN_SECONDS_MAX = 30.0
JSON_HEADERS = {"Content-Type": "application/json"}


class Controls:
    """Serves the controls."""

    def __init__(self, service: Service, sender: Sender) -> None:
        self._service = service
        self._sender = sender
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Awaitable[Json]]]] = []
        for method, path, handler in (
            ("GET", "", self._status),
            ("POST", "/reset", self._reset),
            ("POST", "/clock", self._clock),
            ("POST", "/run", self._run),
            ("POST", "/movements", self._movement),
            ("POST", "/faults", self._fault),
            ("DELETE", "/faults", self._no_faults),
            ("GET", "/deliveries", self._deliveries),
            ("POST", "/deliveries/hold", self._hold),
            ("POST", "/deliveries/release", self._release),
            ("POST", "/events/([^/]+)/send", self._send),
            ("POST", "/events/([^/]+)/drop", self._drop),
            ("POST", "/webhook_endpoints/([^/]+)/roll", self._roll),
            (
                "POST",
                "/(payment_intents|refunds|charges|disputes|payouts|accounts|sessions)/([^/]+)/([a-z_]+)",
                self._act,
            ),
        ):
            self._routes.append((method, re.compile(PREFIX + path), handler))

    async def answer(self, request: Request) -> Answer:
        """Execute one request."""
        try:
            given = _document(request)
            for method, path, handler in self._routes:
                found = path.fullmatch(request.path)
                if found and method == request.method:
                    return Answer(200, encoded(await handler(given, *found.groups())), JSON_HEADERS)
            raise unrecognized(request.method, request.path)
        except Refused as refusal:
            return Answer(refusal.status, encoded(refusal.body("req_stand_in")), JSON_HEADERS)

    async def _status(self, _: Json) -> Json:
        store = self._service.store
        counts = store.rows("select kind, count(*) as n from objects group by kind order by kind")
        states = store.rows("select state, count(*) as n from deliveries group by state order by state")
        return {
            "platform": self._service.platform,
            "now": self._service.clock.now(),
            "frozen": self._service.clock.frozen_at is not None,
            "holding": store.setting("hold", default=False),
            "faults": len(self._service.faults.waiting),
            "objects": {row["kind"]: row["n"] for row in counts},
            "deliveries": {row["state"]: row["n"] for row in states},
            "tasks": [dict(row) for row in store.rows("select due, work, subject from tasks order by due, place")],
        }

    async def _reset(self, given: Json) -> Json:
        """Delete everything except the endpoints; {"all": true}: also them."""
        store = self._service.store
        with store.transaction():
            kept = [
                (row["account"], json.loads(row["body"]), store.hidden(row["id"]))
                for row in store.rows("select * from objects where kind = 'webhook_endpoint' order by place")
                if row["account"] == self._service.platform and not given.get("all")
            ]
            store.empty()
            store.set("platform", self._service.platform)
            for account, endpoint, hidden in kept:
                store.put(account, endpoint)
                store.hide(endpoint["id"], hidden)
        self._service.faults.waiting.clear()
        self._service.clock.offset_seconds, self._service.clock.frozen_at = 0.0, None
        return {}

    async def _clock(self, given: Json) -> Json:
        """Set the clock: {"now": seconds} or {"advance": seconds}, {"frozen": bool}; then due tasks run."""
        clock = self._service.clock
        if "now" in given:
            clock.set(float(given["now"]))
        if "advance" in given:
            clock.set(clock.now() + float(given["advance"]))
        if given.get("frozen") is True and clock.frozen_at is None:
            clock.freeze()
        if given.get("frozen") is False and clock.frozen_at is not None:
            clock.run()
        self._service.store.set("clock_offset_seconds", clock.offset_seconds)
        self._service.store.set("clock_frozen_at", clock.frozen_at)
        done = tasks.run_due(self._service)
        self._sender.wake()
        return {"now": clock.now(), "done": done}

    async def _run(self, given: Json) -> Json:
        """Run due tasks, and wait until every delivery was attempted.

        {"all": true} also runs tasks that are not due yet, except expirations.
        """
        done = tasks.run_due(self._service)
        if given.get("all"):
            done += tasks.run_due(self._service, math.inf, but=tasks.EXPIRIES)
        self._sender.wake()
        drained = await self._sender.drain(float(given.get("seconds_max", DRAIN_SECONDS_MAX)))
        return {"done": done, "drained": drained}

    async def _movement(self, given: Json) -> Json:
        """Move money without an operation.

        {"type": "stripe_fee" or "adjustment", "amount", "currency", "description"}.
        """
        account = given.get("account", self._service.platform)
        with self._service.store.transaction():
            return balances.moved_by_itself(self._service.work(account), given)

    async def _fault(self, given: Json) -> Json:
        """Add a fault: {"kind", "matches": pattern over "METHOD /path", "times", "seconds"}."""
        if given.get("kind") not in faults.KINDS:
            raise malformed(f"Invalid kind: must be one of {', '.join(faults.KINDS)}", param="kind")
        fault = faults.Fault(
            given["kind"], given.get("matches", ".*"), int(given.get("times", 1)), float(given.get("seconds", 0))
        )
        self._service.faults.waiting.append(fault)
        return {"waiting": len(self._service.faults.waiting)}

    async def _no_faults(self, _: Json) -> Json:
        self._service.faults.waiting.clear()
        return {}

    async def _deliveries(self, _: Json) -> Json:
        return {"data": deliveries.listed(self._service.store)}

    async def _hold(self, _: Json) -> Json:
        """Hold all deliveries until they are released."""
        self._service.store.set("hold", value=True)
        self._service.store.run("update deliveries set state = 'held' where state = 'pending'")
        return {}

    async def _release(self, given: Json) -> Json:
        """Deliver held events, one after the other, in an order; {"hold": true} continues to hold later ones."""
        held = in_order(deliveries.listed(self._service.store, "held"), given)
        if not given.get("hold"):
            self._service.store.set("hold", value=False)
        statuses = []
        for delivery in held:
            for _ in range(int(given.get("times", 1))):
                status, error = await self._sender.send(delivery["event"], delivery["endpoint"])
                statuses.append(
                    {"event": delivery["event"], "type": delivery["type"], "status": status, "error": error}
                )
            self._service.store.run("update deliveries set state = 'pending' where place = ?", (delivery["place"],))
            self._sender.record(delivery["place"], delivery["attempts"] + 1, status, error)
        return {"data": statuses}

    async def _send(self, given: Json, id: str) -> Json:
        """Send an event again, by default to all endpoints.

        {"times": 2, "stamp_offset_seconds": -600, "endpoint": id}.
        """
        row = self._service.store.row("select account, body from objects where id = ? and kind = 'event'", (id,))
        if row is None:
            raise invalid(f"No such event: '{id}'", code="resource_missing", status=404)
        to = [
            endpoint["id"]
            for endpoint in deliveries.endpoints(self._service.store, self._service.platform, row["account"])
            if given.get("endpoint", endpoint["id"]) == endpoint["id"]
        ]
        statuses = []
        for _ in range(int(given.get("times", 1))):
            for endpoint in to:
                status, error = await self._sender.send(id, endpoint, float(given.get("stamp_offset_seconds", 0)))
                statuses.append({"endpoint": endpoint, "status": status, "error": error})
        return {"data": statuses}

    async def _drop(self, _: Json, id: str) -> Json:
        """Drop the deliveries of an event (it stays in the list of events)."""
        changed = self._service.store.run(
            "update deliveries set state = 'dropped' where event = ? and state in ('pending', 'held')", (id,)
        )
        return {"dropped": changed.rowcount}

    async def _roll(self, given: Json, id: str) -> Json:
        """Give an endpoint a new secret; the old one also signs for {"expires_in": seconds}."""
        work = self._service.work(self._service.platform)
        secret = given.get("secret", f"whsec_{new_secret(32)}")
        with self._service.store.transaction():
            return webhook_endpoints.rolled(work, id, secret, time.time() + float(given.get("expires_in", 86_400)))

    async def _act(self, given: Json, kind: str, id: str, action: str) -> Json:
        """Apply an action to an object: see ACTIONS."""
        does = ACTIONS.get((kind, action))
        if does is None:
            raise unrecognized("POST", f"{PREFIX}/{kind}/{id}/{action}")
        row = self._service.store.row("select account from objects where id = ?", (id,))
        work = self._service.work(row["account"] if row else self._service.platform)
        with self._service.store.transaction():
            made: Json = does(work, id, given)
        self._sender.wake()
        return made


def _authenticate(work: RequestContext, id: str, given: Json) -> Json:
    outcome = given.get("outcome", "succeeded")
    if outcome not in ("succeeded", "failed", "processing"):
        raise malformed("Invalid outcome: must be one of succeeded, failed or processing", param="outcome")
    return confirmation.played(work, work.get("payment_intent", id), outcome)


def _process(work: RequestContext, id: str, given: Json) -> Json:
    intent = confirmation.processed(work, work.get("payment_intent", id), given.get("outcome", "succeeded"))
    checkout.processed(work, intent)
    return intent


def _pay(work: RequestContext, id: str, given: Json) -> Json:
    """Pay as the payer, with a test card or with TWINT, and approve."""
    intent = work.get("payment_intent", id)
    method = given.get("payment_method", "pm_card_visa")
    chosen: Json = {"return_url": "http://127.0.0.1/"}
    chosen |= {"payment_method_data": {"type": "twint"}} if method == "twint" else {"payment_method": method}
    try:
        intent = confirmation.confirm(work, intent, chosen)
        if intent["status"] == "requires_action":
            intent = confirmation.played(work, intent, given.get("outcome", "succeeded"))
    except Refused as refusal:
        if not refusal.kept:
            raise
    return intent


ACTIONS: dict[tuple[str, str], Callable[[RequestContext, str, Json], Any]] = {
    ("payment_intents", "authenticate"): _authenticate,
    ("payment_intents", "process"): _process,
    ("payment_intents", "pay"): _pay,
    ("sessions", "pay"): checkout.paid,
    ("charges", "dispute"): lambda work, of, given: disputes.opened(
        work, of, given.get("reason", "fraudulent"), inquiry=bool(given.get("inquiry"))
    ),
    ("disputes", "close"): lambda work, of, given: disputes.closed(work, of, given.get("status", "lost")),
    ("payouts", "arrive"): lambda work, of, _: payouts.arrived(work, of),
    ("payouts", "fail"): lambda work, of, given: payouts.failed(work, of, given.get("failure_code", "account_closed")),
    ("accounts", "activate"): lambda work, of, _: accounts.activated(work, of),
    ("accounts", "leave"): lambda work, of, _: accounts.of(work, of),
    ("accounts", "restrict"): lambda work, of, _: accounts.restricted(work, of),
    ("refunds", "arrive"): lambda work, of, _: refunds.arrived(work, of),
    ("refunds", "fail"): lambda work, of, given: refunds.failed(work, of, given.get("reason", "unknown")),
}


def _document(request: Request) -> Json:
    if request.method == "GET":
        return {}
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise malformed("The stand-in's controls take application/json.")
    try:
        document = json.loads(request.body or b"{}")
    except ValueError as error:
        raise malformed("The body is no JSON.") from error
    if not isinstance(document, dict):
        raise malformed("The body is no JSON object.")
    return document
