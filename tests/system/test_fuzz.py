"""Made-up requests to every operation of the API: no fault, and no answer that its own description does not know.

Half of the requests are as described, half break the description somewhere; most name things that are there. An
operation is asked to the end whatever is found, and everything found is told together, with how to ask it again.
"""

import contextlib
import io
import json
import os
from typing import Any
from uuid import uuid4

import hypothesis
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from marquee.core import database
from marquee.core.identity import Caller, service
from marquee.edge import queues
from tests import given, planning, rating_requests
from tests.conftest import API_PASSWORD, TEMPLATE
from tests.system.api import OPENAPI, Api

EXAMPLES = int(os.environ.get("MARQUEE_FUZZ_EXAMPLES", "8"))
HELD = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
FOUND_MAX = 10


@pytest.fixture(scope="module")
def stocked(server):
    """stocked(): the API over one database, and fresh ids of what is there, by the names that requests give them."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database fuzz template {TEMPLATE} strategy file_copy")
    with (
        pytest.MonkeyPatch.context() as environment,
        psycopg.connect(server.url("fuzz"), autocommit=True, row_factory=dict_row) as db,
    ):
        environment.setenv("DATABASE_URL", server.url("fuzz", "marquee_api", API_PASSWORD))
        environment.setenv("STRIPE_SIGNING_SECRETS", "whsec_of_nobody")
        db.execute(
            "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000, "
            "address_burst = 600000"
        )
        # One customer waits for, and holds, the seats of every operation.
        db.execute("update ops.limits set value = case name when 'hold_pause_percent' then 0 else 1000000 end")
        world = planning.world(db)
        environment.setattr(queues, "send", lambda *_, **__: None)
        environment.setattr(queues, "send_batch", lambda *_, **__: None)
        for name in ("DELIVER", "RATING_EVENTS", "PROCESS_BATCH"):
            environment.setenv(f"{name}_QUEUE_URL", f"https://queues.example.com/{name.lower()}")
        owner = Caller(world.owner, "authenticated", world.organization_id)
        callers = [world.customer, owner, service()]
        schema = schemathesis.openapi.from_wsgi("/openapi.json", Api(callers))
        yield lambda: (schema, stock(db, world))
    database.disconnect()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("drop database fuzz with (force)")


def stock(db: Any, world: planning.World) -> dict[str, list[str]]:
    """Something in every state that requests can meet: open, full, about to begin, over; booked, held, waited for."""
    stage = given.Stage(db, world.organization_id, world.owner)
    roomy, full, freed = stage.event(capacity=5), stage.event(capacity=1), stage.event(capacity=1)
    soon, over = stage.event(starts_in="30 minutes"), stage.event(starts_in="30 minutes")
    costly = stage.event(price_cents=2000)
    customer, other = world.customer, stage.customer()
    bookings = [given.book(db, event_id, customer)["id"] for event_id in (roomy, soon, over)]
    given.book(db, full, other)
    passed_on = given.book(db, freed, other)["id"]
    join = "select events.join_waitlist(event_id => %s)"
    entries = [given.call(db, customer, join, [event_id])["id"] for event_id in (full, freed)]
    given.call(db, other, "select events.cancel_booking(%s)", [passed_on])
    hold = given.call(db, customer, "select events.hold_seats(event_id => %s)", [stage.event()])
    db.execute(
        "update events.events set starts_at = starts_at - interval '3 days', ends_at = ends_at - interval '3 days'"
        " where id = %s",
        [over],
    )
    items = [f"item-{uuid4().hex[:8]}", "art/2030 ☃"]
    rating_requests.publish(db, world.organization_id, dict.fromkeys(items, 50.0))
    db.execute(
        "insert into rating.voters (organization_id, voter_id) values (%s, %s) on conflict do nothing",
        [world.organization_id, str(customer)],
    )
    endpoints, deliveries = subscriptions(db, world)
    series = [planning.make_series(world)["id"] for _ in range(2)]
    known = {
        "event_id": [roomy, full, freed, soon, over, costly, planning.events_of(world, series[0])[0]["id"]],
        "booking_id": bookings,
        "entry_id": entries,
        "hold_id": [hold["id"]],
        "series_id": series,
        "organization_id": [world.organization_id],
        "location_id": [world.location_id],
        "instructor_id": [world.instructor_id],
        "policy_id": [world.policy_id],
        "customer_id": [customer, other],
        "endpoint_id": endpoints,
        "delivery_id": deliveries,
        "item_id": items,
        "item_a": items,
        "item_b": items[::-1],
        "winner": items,
        "voter_id": [customer],
    }
    return {name: [str(one) for one in ids] for name, ids in known.items()}


def subscriptions(db: Any, world: planning.World) -> tuple[list[Any], list[Any]]:
    """Endpoints of webhooks, one of them switched off, and a delivery to each."""
    db.execute("delete from messaging.webhook_endpoints")  # there may be twenty of an organization
    endpoints = db.execute(
        "insert into messaging.webhook_endpoints (organization_id, url, enabled, disabled_at, disabled_reason)"
        " select %s, 'https://hooks.example.com/', is_on, case when not is_on then now() end,"
        " case when not is_on then 'by_hand' end from unnest(array[true, true, false]) as is_on returning id",
        [world.organization_id],
    ).fetchall()
    deliveries = db.execute(
        "insert into messaging.webhook_deliveries (endpoint_id, topic, key, payload, occurred_at, next_attempt_at)"
        " select e, 'booking.confirmed', 'key', '{}', now(), now() from unnest(%s::uuid[]) as e returning id",
        [[row["id"] for row in endpoints]],
    ).fetchall()
    return [row["id"] for row in endpoints], [row["id"] for row in deliveries]


OPERATIONS = [
    (path, method)
    for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
    for method in methods
    if method in ("get", "post", "put", "patch", "delete")
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda word: word)
def test_every_answer_is_one_that_the_api_describes(stocked, path, method):
    schema, known = stocked()
    operation = schema[path][method.upper()]
    found: dict[tuple[str, ...], str] = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(
        case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        which=st.integers(-1, 7),
    )
    def ask(case, which):
        if which >= 0:
            for part in (case.path_parameters, case.query, case.body):
                name_what_is_there(part, known, which)
        case.headers["X-Caller"] = str(which)
        with contextlib.redirect_stdout(io.StringIO()):
            response = case.call()
        try:
            case.validate_response(response, checks=[CHECKS.get_one(name) for name in HELD])
        except FailureGroup as group:
            for failure in group.exceptions:
                kind = (type(failure).__name__, str(response.status_code), str(failure).splitlines()[0][:200])
                found.setdefault(kind, f"{failure}\n{response.text[-2000:]}\n{case.as_curl_command()}")

    ask()
    assert not found, f"{len(found)} kinds of fault:\n" + "\n\n".join(list(found.values())[:FOUND_MAX])


def name_what_is_there(part: Any, known: dict[str, list[str]], which: int) -> None:
    """Put ids of things that exist where a request names such things."""
    if isinstance(part, dict):
        for name in part.keys() & known.keys():
            part[name] = known[name][which % len(known[name])]
