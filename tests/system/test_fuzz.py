"""Generated requests to every operation of the API cause no fault and no undocumented response.

A customer, the organization's owner, its front desk and the service call each operation. The first request is likely
to succeed. The next ones replace each id in turn by an unknown one. Generated requests follow: half of them fit the
API document, half break it somewhere, and most name known ids. A fault does not stop the requests: all faults of an
operation are reported together, each with a command that repeats it. An operation that refused all of its requests
early was not tested, and fails.
"""

import contextlib
import copy
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from marquee.core import codes, database
from marquee.core.identity import Caller, service
from marquee.edge import queues
from tests.kit import gateway, rating_requests, routines, scheduling, stages
from tests.kit.api import OPENAPI, Api
from tests.kit.databases import TEMPLATE, api_url
from tests.kit.stripe_standin import KEY, SIGNING_SECRET, Stripe

EXAMPLES = int(os.environ.get("MARQUEE_FUZZ_EXAMPLES", "16"))
ROLES = ("customer", "owner", "front desk", "service")
CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
FOUND_MAX = 10

REFUSED_EARLY = {401, 403, 404, 405, 413, 415, 422, 429}
"""Statuses of requests that were refused before they reached the operation."""

LIKELY: dict[str, dict[str, Any]] = {
    "POST /bookings": {"event_id": "…", "customer_id": "…"},
    "POST /credits/grants": {
        "organization_id": "…", "customer_id": "…", "kind": "wallet", "amount": 500, "currency": "CHF",
    },
    "POST /holds": {"event_id": "…"},
    "POST /organizations/{organization_id}/payout-account": {
        "return_url": "https://shop.example.com/done", "refresh_url": "https://shop.example.com/again",
    },
    "POST /packages": {
        "organization_id": "…", "name": "Ten classes", "kind": "wallet", "price_cents": 9000, "currency": "CHF",
        "amount": 10000,
    },
    "POST /promo-codes": {"organization_id": "…", "code": "SPRING-30", "kind": "percent", "percent_bps": 1000},
    "POST /waitlist/{entry_id}/accept": {},
}  # fmt: skip
"""Bodies that are likely to succeed, for operations whose documented example is not; ids are filled in."""

UNKNOWN_CODES = {
    "currency": ["XTS", "GET"], "country": ["ZZ"], "region": ["ZZ-ZZ"], "time_zone": ["Mars/Olympus", "EST5EDT,"],
    "language": ["zz"], "locale": ["zz"], "category": ["juggling-on-mars"],
}  # fmt: skip
"""Codes in the right form, by the names of members, that name nothing."""

QUERIES = {"from": "2030-01-01", "to": "2030-01-31", "currency": "CHF"}


@pytest.fixture(scope="module")
def stocked(server, stand_in):
    """Return a function that gives the API over one database, and fresh known ids by the names of parameters."""
    Stripe(stand_in).control("/reset")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database fuzz template {TEMPLATE} strategy file_copy")
    with (
        pytest.MonkeyPatch.context() as environment,
        psycopg.connect(server.url("fuzz"), autocommit=True, row_factory=dict_row) as db,
    ):
        environment.setenv("DATABASE_URL", api_url(server, "fuzz"))
        environment.setenv("STRIPE_API_BASE", stand_in)
        environment.setenv("STRIPE_API_KEY", KEY)
        environment.setenv("STRIPE_SIGNING_SECRETS", SIGNING_SECRET)
        db.execute(
            "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000, "
            "address_burst = 600000"
        )
        # One customer holds and waits for the seats of every operation.
        db.execute("update ops.limits set value = case name when 'hold_pause_percent' then 0 else 1000000 end")
        world = scheduling.world(db)
        environment.setattr(queues, "send", lambda *_, **__: None)
        environment.setattr(queues, "send_batch", lambda *_, **__: None)
        for name in ("DELIVER", "RATING_EVENTS", "PROCESS_BATCH", "STRIPE_EVENTS"):
            environment.setenv(f"{name}_QUEUE_URL", f"https://queues.example.com/{name.lower()}")
        callers = {
            "customer": Caller(world.customer, "authenticated"),
            "owner": Caller(world.owner, "authenticated", world.organization_id),
            "front desk": Caller(world.front_desk, "authenticated", world.organization_id),
            "service": service(),
        }
        schema = schemathesis.openapi.from_wsgi("/openapi.json", Api(callers))
        yield lambda path: (schema, stock(db, world, path))
    database.disconnect()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("drop database fuzz with (force)")


def stock(db: Any, world: scheduling.World, path: str) -> dict[str, list[str]]:
    """Create events and bookings in every state that requests can meet, and return their ids by parameter name."""
    restore(db, world)
    stage = stages.Stage(db, world.organization_id, world.owner)
    roomy, full, freed = stage.event(capacity=50), stage.event(capacity=1), stage.event(capacity=1)
    soon, over = stage.event(starts_in="30 minutes"), stage.event(starts_in="30 minutes")
    costly = stage.event(price_cents=2000)
    customer, other = world.customer, stage.customer()
    bookings = [routines.book(db, event_id, customer)["id"] for event_id in (over, soon)]
    routines.book(db, full, other)
    passed_on = routines.book(db, freed, other)["id"]
    join = "select events.join_waitlist(event_id => %s)"
    entries = [routines.call(db, customer, join, [event_id])["id"] for event_id in (freed, full)]
    routines.call(db, other, "select events.cancel_booking(%s)", [passed_on])
    hold = routines.call(db, customer, "select events.hold_seats(event_id => %s)", [stage.event()])
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
    series = [scheduling.make_series(world)["id"] for _ in range(2)]
    for routine in ("users.request_export", "users.request_erasure"):
        routines.call(db, world.customer, f"select {routine}()")
    known = {
        "event_id": [roomy, costly, full, freed, soon, over, scheduling.events_of(world, series[0])[0]["id"]],
        "booking_id": bookings,
        "entry_id": entries,
        "hold_id": [hold["id"]],
        "series_id": series,
        "organization_id": [world.organization_id, world.organization_id, uuid4()],
        "location_id": [world.location_id],
        "instructor_id": [world.instructor_id],
        "policy_id": [world.policy_id],
        "customer_id": [customer, other, uuid4()],
        "endpoint_id": endpoints,
        "delivery_id": deliveries,
        "item_id": items,
        "item_a": items,
        "item_b": items[::-1],
        "winner": items,
        "voter_id": [customer],
    }
    if path.startswith("/events/{event_id}/waitlist"):
        known["event_id"] = [full, freed]
    if "/links" in path or "/by-link/" in path:
        known |= link_ids(db, world, roomy)
    if path.startswith("/webhooks/stripe/"):
        known["event_id"] = [parked_stripe_event(db)]
    if path.startswith("/ratings/requests/"):
        known["request_id"] = [queued_request(world)]
    if any(word in path for word in ("invitation", "member", "ownership", "notification", "note", "unsubscribe")):
        known |= people_ids(db, world, stage)
    if any(word in path for word in ("room", "resource")):
        known |= place_ids(db, world)
    if "closures" in path:
        known |= place_ids(db, world) | {"closure_id": [closed_period(db, world)]}
    if path.startswith("/calendars/"):
        known["secret"] = [calendar_secret(db, customer)]
    if any(word in path for word in ("fee", "invoice", "package", "purchase", "refund", "payment", "promo", "credit")):
        known |= money_ids(db, world, stage)
    return {name: [str(one) for one in ids] for name, ids in known.items()}


def restore(db: Any, world: scheduling.World) -> None:
    """Undo what an operation may have changed: closed times, blocked customers, archived places, owners."""
    db.execute("delete from events.closures")
    db.execute("update organizations.customers set blocked_at = null, blocked_by = null, block_reason = null")
    for table in ("organizations", "locations", "rooms", "resources", "instructors", "policies"):
        db.execute(sql.SQL("update organizations.{} set archived_at = null").format(sql.Identifier(table)))
    for user_id, role in ((world.owner, "owner"), (world.front_desk, "front_desk")):
        db.execute(
            "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, %s)"
            " on conflict (user_id, organization_id) do update set role = excluded.role",
            [world.organization_id, user_id, role],
        )
    # An organization that the customer created keeps an owner.
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role)"
        " select m.organization_id, %s, 'owner' from organizations.memberships as m"
        " where m.user_id = %s and m.role = 'owner'"
        " on conflict (user_id, organization_id) do update set role = 'owner'",
        [world.owner, world.customer],
    )
    db.execute("delete from organizations.memberships where user_id = %s", [world.customer])


def people_ids(db: Any, world: scheduling.World, stage: stages.Stage) -> dict[str, list[Any]]:
    """Invite the customer, offer the ownership to the front desk and notify the customer, with nothing accepted yet."""
    db.execute("delete from organizations.ownership_offers")
    db.execute("delete from organizations.invitations")
    (address,) = db.execute("select email from users.profiles where id = %s", [world.customer]).fetchone().values()
    invite = "select organizations.invite_member(%s, %s, 'viewer')"
    invited, other = (
        routines.call(db, world.owner, invite, [world.organization_id, email])["id"]
        for email in (address, f"{uuid4().hex}@example.org")
    )
    code = codes.new_code()
    routines.call(db, None, "select organizations.issue_invitation_code(%s, 1, %s)", [invited, codes.hash_of(code)])
    offer = "select organizations.offer_ownership(%s, %s, 'owner')"
    offer_id = routines.call(db, world.owner, offer, [world.organization_id, world.front_desk])["id"]
    query = """
        insert into messaging.notifications (user_id, outbox_id, topic, subject, body)
        values (%s, (random() * 1e9)::bigint, 'booking.confirmed', 'Booked', 'Booked.')
        returning id
    """
    (notification_id,) = db.execute(query, [world.customer]).fetchone().values()
    token = "select messaging.unsubscribe_token(%s, 'credits')"
    note = "select organizations.add_customer_note(%s, %s, 'Sings.')"
    notes = [routines.call(db, world.owner, note, [world.organization_id, world.customer])["id"] for _ in range(20)]
    return {
        "note_id": notes,
        "invitation_id": [invited, other],
        "code": [code],
        "offer_id": [offer_id],
        "user_id": [stage.member("viewer"), stage.member("editor")],
        "notification_id": [notification_id],
        "token": [routines.call(db, None, token, [world.customer])],
    }


def place_ids(db: Any, world: scheduling.World) -> dict[str, list[Any]]:
    """Create a room and a piece of equipment, and return their ids."""
    save = {
        "room_id": "select organizations.save_room(%s, %s)",
        "resource_id": "select organizations.save_resource(%s, %s)",
    }
    changes = {"name": f"Small {uuid4().hex[:8]}", "location_id": str(world.location_id)}
    return {
        name: [routines.call(db, world.owner, query, [world.organization_id, Jsonb(changes)])["id"]]
        for name, query in save.items()
    }


def closed_period(db: Any, world: scheduling.World) -> str:
    """Close the organization for a day in two years, and return the closure's id."""
    day = str(scheduling.day(730))
    close = "select events.close_period(%s, %s)"
    details = Jsonb({"from": day, "until": day, "reason": "Holidays."})
    closure_id: str = routines.call(db, world.owner, close, [world.organization_id, details])["id"]
    return closure_id


def link_ids(db: Any, world: scheduling.World, event_id: UUID) -> dict[str, list[Any]]:
    """Create secret links of an event; return their ids, a secret and the event."""
    secrets = [codes.new_code() for _ in range(2)]
    create = "select events.create_access_link(%s, %s, %s)"
    links = [
        routines.call(db, world.owner, create, [event_id, codes.hash_of(secret), codes.hash_of(codes.new_code())])
        for secret in secrets
    ]
    return {"event_id": [event_id], "link_id": [link["id"] for link in links], "secret": secrets}


def calendar_secret(db: Any, customer: UUID) -> str:
    """Give the customer's calendar a secret address, and return the secret."""
    secret = uuid4().hex
    routines.call(db, customer, "select users.create_calendar_address(%s)", [codes.hash_of(secret)])
    return secret


def money_ids(db: Any, world: scheduling.World, stage: stages.Stage) -> dict[str, list[Any]]:
    """Create fees, invoices, packages, purchases and refunds in the states that requests can meet; return their ids."""
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)"
        " on conflict (organization_id) do update set invoices_allowed = true",
        [world.organization_id],
    )
    customer, costly = world.customer, stage.event(price_cents=2000, starts_in="5 hours")
    book = "select events.book(event_id => %s, payment_method => %s, idempotency_key => %s)::jsonb"
    invoiced = routines.call(db, customer, book, [costly, "invoice", uuid4().hex])["id"]
    waiting = routines.call(db, customer, book, [stage.event(price_cents=2000), "card", uuid4().hex])["id"]
    for _ in range(2):
        late = routines.book(db, stage.event(starts_in="5 hours"), customer)["id"]
        routines.call(db, customer, "select events.cancel_booking(%s)", [late])
    offer = (
        "select payments.create_package(organization_id => %s, name => 'Ten', kind => 'wallet', price_cents => 9000,"
        " currency => 'CHF', amount => 10000)"
    )
    package = routines.call(db, world.owner, offer, [world.organization_id])["id"]
    purchases, refunds = list[str](), list[Any]()
    for is_refunded in (True, False):
        buy = "select payments.buy_package(%s, 'card', %s)"
        purchase = routines.call(db, customer, buy, [package, uuid4().hex])["id"]
        facts = {
            "stripe_id": f"pi_{purchase}", "intent_id": purchase, "status": "succeeded", "amount_cents": 9000,
            "received_cents": 9000, "currency": "chf", "observed_at": "2030-01-01T00:00:00+00:00",
        }  # fmt: skip
        routines.call(db, None, "select payments.apply_payment(%s)", [Jsonb(facts)])
        purchases.insert(0, purchase)
        if is_refunded:
            routines.call(db, world.owner, "select payments.refund_purchase(%s)", [purchase])
            refunds = ids(db, "select id from payments.refunds order by id desc limit 1")
    db.execute("update payments.refunds set status = 'failed', last_error = '{}' where id = %s", [refunds[0]])
    return {
        "booking_id": [waiting, invoiced],
        "fee_id": ids(db, "select id from payments.fees order by id desc limit 2"),
        "invoice_id": ids(db, "select id from payments.invoices order by number desc limit 1"),
        "package_id": [package],
        "purchase_id": purchases,
        "refund_id": refunds,
    }


def ids(db: Any, query: str) -> list[Any]:
    return [row["id"] for row in db.execute(query).fetchall()]


def parked_stripe_event(db: Any) -> str:
    """Insert a Stripe event that waits for a person."""
    event_id = f"evt_{uuid4().hex}"
    db.execute(
        "insert into payments.webhook_inbox (event_id, type, livemode, created_at, payload, received_at, available_at,"
        " status, last_error) values (%s, 'charge.updated', false, now(), '{}', now(), now(), 'parked', 'none')",
        [event_id],
    )
    return event_id


def queued_request(world: scheduling.World) -> str:
    """Queue a request with rating events, and return its id."""
    body = {
        "organization_id": world.organization_id,
        "events": [{"type": "fire", "key": uuid4().hex, "item_id": "dawn"}],
    }
    answer = gateway.post("ingest", "/ratings/events", body, caller=world.customer, headers={"Prefer": "respond-async"})
    assert answer.status == 202, answer.text
    return str(answer.body["request_id"])


def subscriptions(db: Any, world: scheduling.World) -> tuple[list[Any], list[Any]]:
    """Create webhook endpoints, one of them disabled, and a delivery to each; return the ids of both."""
    db.execute("delete from messaging.webhook_endpoints")  # an organization may have at most twenty
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


DOCUMENT = json.loads(OPENAPI.read_text())
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in ("get", "post", "put", "patch", "delete")
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda word: word)
def test_responses_match_the_api_document(stocked, path, method):
    schema, known = stocked(path)
    operation = schema[path][method.upper()]
    found: dict[tuple[str, ...], str] = {}
    answers: Counter[tuple[str, int]] = Counter()

    def send(case: Any, role: str) -> None:
        case.headers = {**(case.headers or {}), "X-Caller": role}
        with contextlib.redirect_stdout(io.StringIO()):
            response = case.call()
        answers[role, response.status_code] += 1
        if not keeps_callers_apart(response.headers):
            found["Vary", str(response.status_code)] = f"{dict(response.headers)}\n{case.as_curl_command()}"
        try:
            case.validate_response(response, checks=[CHECKS.get_one(name) for name in CHECKED])
        except FailureGroup as group:
            for failure in group.exceptions:
                kind = (type(failure).__name__, str(response.status_code), str(failure).splitlines()[0][:200])
                found.setdefault(kind, f"{failure}\n{response.text[-2000:]}\n{case.as_curl_command()}")

    for role in ROLES:
        for which in range(2):
            case = likely_request(operation, path, method, known, which)
            send(case, role)
            for name in ids_of(case):
                unknown = {**known, name: [str(uuid4())]}
                send(likely_request(operation, path, method, unknown, which), role)
    for role in ("owner", "service"):
        for name, value in extremes(body_schema(path, method)):
            case = likely_request(operation, path, method, known, 0)
            case.body = {**(case.body or {}), name: value}
            case.media_type = "application/json"
            send(case, role)
        for name, value in extremes(query_schema(path, method)):
            case = likely_request(operation, path, method, known, 0)
            case.query = {**(case.query or {}), name: value}
            send(case, role)

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
        role=st.sampled_from(ROLES),
    )
    def ask(case, which, role):
        if which >= 0:
            for part in (case.path_parameters, case.query, case.body):
                fill_known_ids(part, known, which)
        send(case, role)

    ask()
    assert not found, f"{len(found)} kinds of fault:\n" + "\n\n".join(list(found.values())[:FOUND_MAX])
    name = f"{method.upper()} {path}"
    is_tested = any(status not in REFUSED_EARLY for _, status in answers)
    assert is_tested, f"{name} refused every request early: {dict(answers)}"


def likely_request(operation: Any, path: str, method: str, known: dict[str, list[str]], which: int) -> Any:
    """Return a request that is likely to succeed: the document's example with known ids."""
    described = DOCUMENT["paths"][path][method]
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = copy.deepcopy(LIKELY.get(f"{method.upper()} {path}", content.get("example")))
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for parameter in described.get("parameters", ()):
        name = parameter["name"]
        if name == "Idempotency-Key":
            places["header"][name] = uuid4().hex
        elif parameter["in"] == "path" or (parameter.get("required") and parameter["in"] == "query"):
            ids = known.get(name)
            places[parameter["in"]][name] = ids[which % len(ids)] if ids else QUERIES.get(name, str(uuid4()))
    fill_known_ids(body, known, which)
    given_body = {} if body is None else {"body": body, "media_type": "application/json"}
    return operation.Case(path_parameters=places["path"], query=places["query"], headers=places["header"], **given_body)


def keeps_callers_apart(headers: Any) -> bool:
    """Return whether caches keep callers apart: the response is public, or varies by the token."""
    first = {name.lower(): value[0] if isinstance(value, list) else value for name, value in headers.items()}
    return first.get("cache-control", "").startswith("public") or "Authorization" in first.get("vary", "").split(", ")


def body_schema(path: str, method: str) -> dict[str, Any]:
    """Return the schema of an operation's body, or {} if it has none."""
    content = DOCUMENT["paths"][path][method].get("requestBody", {}).get("content", {})
    return resolved(content.get("application/json", {}).get("schema", {}))


def query_schema(path: str, method: str) -> dict[str, Any]:
    """Return the parameters of an operation's query as the schema of an object."""
    parameters = DOCUMENT["paths"][path][method].get("parameters", ())
    return {"properties": {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a schema's reference, and choose the alternative that is not null."""
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null":
            return resolved(part)
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def extremes(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the least and the greatest value of each member of an object, and values beyond them."""
    for name, member in schema.get("properties", {}).items():
        kind = resolved(member)
        match kind.get("type"), kind.get("format"):
            case (("integer" | "number"), _):
                values: list[Any] = [0, -1, 1, 32768, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 0.1, 1e300]
                values += [kind[bound] for bound in ("minimum", "maximum") if bound in kind]
            case "string", "date-time":
                values = ["0001-01-02T00:00:00Z", "9999-12-30T23:59:59.999999Z", "2030-01-31T18:00:00.000001-14:00"]
            case "string", "date":
                values = ["1970-01-01", "2199-12-31"]
            case "string", None:
                values = ["x" * kind.get("maxLength", 1000), "", "\u00df\u0130", "{}", "%s", "null"]
                values += kind.get("enum", []) + UNKNOWN_CODES.get(name, [])
            case "array", _:
                values = [[], [None], [{}], ["x"], ["yoga"] * 1000]
            case _:
                values = []
        yield from ((name, value) for value in [None, *values])


def ids_of(case: Any) -> list[str]:
    """Return the names of the ids in a request."""
    parts = (case.path_parameters, case.query, case.body)
    return sorted({name for part in parts if isinstance(part, dict) for name in part if name.endswith("_id")})


def fill_known_ids(part: Any, known: dict[str, list[str]], which: int) -> None:
    """Put known ids where a request names them."""
    if isinstance(part, dict):
        for name in part.keys() & known.keys():
            part[name] = known[name][which % len(known[name])]
