"""The endpoints of an event, and the states of its deliveries."""

import json
import sqlite3
from typing import TYPE_CHECKING

from local.stripe.store import Json, Store

if TYPE_CHECKING:
    from local.stripe.request_context import RequestContext


def enqueue(work: "RequestContext", event: Json) -> None:
    """Add a delivery for each endpoint that wants the event; it is held while deliveries are held."""
    state = "held" if work.store.setting("hold", default=False) else "pending"
    for endpoint in endpoints(work.store, work.platform, work.account):
        if wants(endpoint, event["type"]):
            work.store.run(
                "insert into deliveries (event, endpoint, state, due) values (?, ?, ?, ?)",
                (event["id"], endpoint["id"], state, 0),
            )


def endpoints(store: Store, platform: str, account: str) -> list[Json]:
    """Return the endpoints for an account's events: its own, and the platform's for connected accounts."""
    found = []
    rows = store.rows(
        "select id, account, body from objects where account in (?, ?) and kind = 'webhook_endpoint' order by place",
        (account, platform),
    )
    for row in rows:
        connect = bool(store.hidden(row["id"]).get("connect"))
        its_own = row["account"] == account and not connect
        if its_own or (connect and row["account"] == platform and account != platform):
            found.append(json.loads(row["body"]))
    return found


def wants(endpoint: Json, type: str) -> bool:
    """Return whether an endpoint is enabled and has the type among its events."""
    enabled = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or type in enabled)


def pending(store: Store, event: str) -> int:
    """Return the number of endpoints that have not accepted an event yet."""
    row = store.row("select count(*) as n from deliveries where event = ? and state in ('pending', 'held')", (event,))
    return 0 if row is None else int(row["n"])


def due(store: Store, at: float, limit: int) -> list[sqlite3.Row]:
    """Return due deliveries, in order."""
    return store.rows(
        "select place, event, endpoint, attempts from deliveries "
        "where state = 'pending' and due <= ? order by place limit ?",
        (at, limit),
    )


def shown(row: sqlite3.Row) -> Json:
    """Return a delivery in the form of the controls."""
    return {name: row[name] for name in ("place", "event", "type", "endpoint", "state", "attempts", "status", "error")}


def listed(store: Store, state: str | None = None, event: str | None = None) -> list[Json]:
    """List all deliveries, oldest first, optionally of one state or one event."""
    rows = store.rows(
        "select d.*, json_extract(o.body, '$.type') as type from deliveries as d join objects as o on o.id = d.event "
        "where (:state is null or d.state = :state) and (:event is null or d.event = :event) order by d.place",
        {"state": state, "event": event},
    )
    return [shown(row) for row in rows]
