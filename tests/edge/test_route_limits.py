"""Test that every route that writes, every recorded read and every expensive read has a rate limit.

A new route fails here until its handler names an operation of ops.rate_limit_rules, or REASONS explains its absence.
The requests are the samples in events/. A test of the template requires one for each route.
"""

import json
from pathlib import Path
from uuid import UUID

import pytest

from marquee.core import database
from tests.kit import gateway

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())

REASONS = {
    "POST /webhooks/stripe": "Only what Stripe signed reaches the database, and Stripe must never be refused.",
    "POST /webhooks/stripe/{event_id}/replay": "For the service role only, which no rule limits.",
    "GET /ledger/trial-balance": "For the service role only, which no rule limits.",
    "PATCH /organizations/{organization_id}/platform-terms": "For the service role only, which no rule limits.",
    "GET /organizations/{organization_id}/payout-account": "One row by its key.",
}
"""Routes without the limit that they would need, with the reason."""

EXPENSIVE_TAGS = {"access-log", "insights", "payouts"}
"""Tags of reads that compute figures for each call. Reads that return a file are found by their content type."""


RECORDED = {
    "GET /bookings/{booking_id}",
    "GET /bookings/{booking_id}/history",
    "GET /bookings/{booking_id}/names",
    "GET /bookings/{booking_id}/payment",
    "GET /events/{event_id}/roster",
    "GET /events/{event_id}/waitlist/entries",
    "GET /fees",
    "GET /invoices",
    "GET /invoices/{invoice_id}",
    "GET /organizations/{organization_id}/audit",
    "GET /organizations/{organization_id}/customers",
    "GET /organizations/{organization_id}/customers/{customer_id}",
    "GET /organizations/{organization_id}/invitations",
    "GET /organizations/{organization_id}/members",
    "GET /organizations/{organization_id}/bookings",
    "GET /organizations/{organization_id}/today",
    "GET /purchases/{purchase_id}",
    "GET /ratings/events",
    "GET /ratings/voters/{voter_id}",
    "GET /refunds",
    "GET /webhook-endpoints/{endpoint_id}/deliveries",
}
"""Reads that write the access log, besides the expensive ones. A test compares them with the statements that run."""

SCANS = {"GET /ratings/items/{item_id}", "GET /ratings/members/items/{item_id}"}
"""Reads whose cost grows with the rows of an organization, because they count an item's rank."""

FIGURES = {"GET /dashboard"}
"""Other reads that compute figures for each call."""

WITHOUT_STATEMENT = {"GET /health/details": "For the service role only, which no rule limits."}
"""Reads whose sample request runs no statement, with the reason."""


def needs_a_limit(route, operation):
    """Return whether an operation of the OpenAPI document writes, is recorded, or is an expensive read."""
    if not route.startswith("GET ") or route in RECORDED | SCANS | FIGURES:
        return True
    contents = operation["responses"].get("200", {}).get("content", {})
    return bool(EXPENSIVE_TAGS & set(operation["tags"])) or any(kind.startswith("text/") for kind in contents)


ROUTES = sorted(
    f"{method.upper()} {path}"
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method in {"get", "post", "put", "patch", "delete"} and needs_a_limit(f"{method.upper()} {path}", operation)
)


def samples():
    """Return the sample requests by route, each with the folder of its function."""
    folders = sorted((folder.name for folder in gateway.FUNCTIONS.iterdir()), key=len, reverse=True)
    found = {}
    for file in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(file.read_text())
        if "httpMethod" in event and "methodArn" not in event:
            folder = next(name for name in folders if file.name.startswith(name + "-"))
            found.setdefault(f"{event['httpMethod']} {event['resource']}", []).append((folder, event))
    return found


SAMPLES = samples()
CASES = [
    pytest.param(folder, event, id=f"{route} {number}" if number else route)
    for route in ROUTES
    if route not in REASONS
    for number, (folder, event) in enumerate(SAMPLES.get(route, []))
]
OF_PEOPLE = [case for case in CASES if case.values[1]["requestContext"].get("authorizer")]
"""Cases with a caller. Public routes have none and are limited by address only."""


def authenticated(event):
    """Return the sample request with a person as its caller, because rules do not limit the service."""
    context = event["requestContext"]
    if context.get("authorizer"):
        context["authorizer"] |= gateway.authorizer_context(UUID(context["authorizer"]["caller_id"]))
    return event


def empty(db, subject):
    """Take all tokens of a subject, for every operation."""
    db.execute(
        "insert into ops.rate_limits (operation, subject, full_at) "
        "select r.operation, %s, now() + interval '1 day' from ops.rate_limit_rules as r",
        [subject],
    )


def refused(folder, event):
    answer = gateway.invoke(folder, event)
    body = json.loads(answer["body"])
    headers = {name.lower(): values[-1] for name, values in answer.get("multiValueHeaders", {}).items()}
    headers |= {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    assert (answer["statusCode"], body.get("code")) == (429, "rate_limited"), (
        f"{event['httpMethod']} {event['resource']} was not refused by a limit: {body}. Name an operation of"
        ' ops.rate_limit_rules in its handler (limit=http.limited(event, "operation")), or give the reason in REASONS.'
    )
    assert body["retry_after_seconds"] > 80_000
    assert int(headers["retry-after"]) == body["retry_after_seconds"]


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """Set the variables that handlers read before they open a session."""
    monkeypatch.setenv("RATING_EVENTS_QUEUE_URL", "http://127.0.0.1:1/queue")
    monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", "http://127.0.0.1:1/queue")


@pytest.mark.parametrize(("folder", "event"), OF_PEOPLE)
def test_route_refuses_a_caller_without_tokens(db, folder, event):
    event = authenticated(event)
    empty(db, f"caller:{event['requestContext']['authorizer']['caller_id']}")

    refused(folder, event)


@pytest.mark.parametrize(("folder", "event"), CASES)
def test_route_refuses_an_address_without_tokens(db, folder, event):
    event = authenticated(event)
    empty(db, f"address:{event['requestContext']['identity']['sourceIp']}")

    refused(folder, event)


OTHER_READS = [
    pytest.param(route, folder, event, id=route)
    for route, found in sorted(SAMPLES.items())
    if route.startswith("GET ") and (route not in ROUTES or route in RECORDED)
    for folder, event in found[:1]
]


@pytest.fixture
def statements(db, monkeypatch):
    """Collect the statements that handlers run."""
    ran = []
    run = database.Session.all

    def all_rows(session, query, params=None, *, access=None):
        ran.append("ops.record_access(" if access else query)
        return run(session, query, params, access=access)

    monkeypatch.setattr(database.Session, "all", all_rows)
    return ran


def recording_routines(db):
    """Return the routines that write the access log, directly or through other routines."""
    bodies = {
        row["name"]: row["body"]
        for row in db.execute(
            "select n.nspname || '.' || p.proname as name, coalesce(p.prosrc, '') as body "
            "from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace "
            "where n.nspname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
    }
    found = {"ops.record_access", "ops.add_accesses"}
    while more := {
        name for name, body in bodies.items() if name not in found and any(f"{each}(" in body for each in found)
    }:
        found |= more
    return found


@pytest.mark.parametrize(("route", "folder", "event"), OTHER_READS)
def test_read_that_writes_the_access_log_is_listed(db, statements, route, folder, event):
    gateway.invoke(folder, authenticated(event))

    writes = any(f"{routine}(" in text for routine in recording_routines(db) for text in statements)
    assert bool(statements) == (route not in WITHOUT_STATEMENT), (
        f"{route} {'runs a statement: remove it from' if statements else 'runs no statement: add it to'}"
        " WITHOUT_STATEMENT. Only a sample request that runs statements shows whether a read writes the access log."
    )
    assert writes == (route in RECORDED), (
        f"{route} {'writes the access log: add it to' if writes else 'writes no access log: remove it from'} RECORDED."
        " A read that writes it needs a rate limit."
    )


def test_route_that_needs_a_limit_has_a_sample_request():
    missing = [route for route in ROUTES if route not in SAMPLES]
    assert missing == [], "Run make events, which writes the sample requests that the tests of limits send."


def test_listed_reasons_are_for_existing_routes():
    unneeded = sorted(REASONS.keys() - set(ROUTES))
    assert unneeded == [], "Remove these from REASONS: they do not exist, or need no limit."


def test_acting_for_a_customer_has_its_own_limit(db):
    """Call the three routes with a customer_id: the limit of a person does not apply to a front desk."""
    staff, customer = UUID(int=1), str(UUID(int=2))
    event_id = str(UUID(int=3))
    requests = [
        ("book", "/bookings", {"event_id": event_id, "customer_id": customer}, "book_for_customer"),
        ("book", "/holds", {"event_id": event_id, "customer_id": customer}, "hold_for_customer"),
        ("waitlist", f"/events/{event_id}/waitlist", {"customer_id": customer}, "join_waitlist_for_customer"),
    ]
    for function, path, body, operation in requests:
        assert gateway.post(function, path, body, caller=staff).status == 404
        db.execute("update ops.rate_limits set full_at = now() + interval '1 day' where operation = %s", [operation])

        assert gateway.post(function, path, body, caller=staff).status == 429
        assert gateway.post(function, path, {**body, "customer_id": str(staff)}, caller=staff).status == 404


def test_every_rate_limit_rule_is_used_by_a_route(db):
    """Find rules without a route, which look like a limit but limit nothing."""
    text = "\n".join(file.read_text() for file in gateway.FUNCTIONS.rglob("*.py"))
    rules = [row["operation"] for row in db.execute("select operation from ops.rate_limit_rules").fetchall()]

    unused = [rule for rule in rules if f'"{rule.removesuffix("_for_customer")}"' not in text]
    assert unused == [], "No handler names these operations, so they limit nothing: use or delete their rules."
