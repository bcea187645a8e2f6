"""An Idempotency-Key belongs to its caller, operation, path and body, and always has the first response.

The cases cover the OpenAPI document: an operation that takes a key needs a line in CASES. A case is repeated with
the same key, by another caller, with each member of the body changed, and with another path. At last the object is
changed, and the first request is repeated.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.kit import gateway, packages
from tests.kit.api import OPENAPI, Api
from tests.kit.money_figures import Till
from tests.kit.stripe_standin import stand_in, stripe  # noqa: F401 fixtures
from tests.kit.wallets import PRICE, CreditBookings

START = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
KEYED = sorted(
    (method.upper(), path)
    for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
    for method, operation in methods.items()
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
)
"""Every operation of the API with an Idempotency-Key."""


class World(CreditBookings):
    """A paid event, its customers, and their money."""

    def rich(self) -> Any:
        """Create a customer with wallet money and a pass."""
        customer = self.customer()
        self.give(customer, 20 * PRICE)
        self.give_pass(customer, 20)
        return customer

    def one(self, query: str, *params: Any) -> Any:
        """Return the value of a query."""
        return next(iter(self.db.execute(query, params).fetchone().values()))


@dataclass
class Case:
    """A request, another path of the same operation, other values of members, and a later change of the object."""

    path: str
    caller: Any
    body: dict[str, Any]
    others: dict[str, Any]
    then: Callable[[dict[str, Any]], Any]
    other_path: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


def book(world: World, method: str) -> Case:
    customer = world.rich()
    other = world.event(capacity=5)

    def cancel(made: dict[str, Any]) -> None:
        world.cancel(made)
        world.db.execute("update payments.intents set status = 'cancelled' where status <> 'cancelled'")

    return Case(
        "/bookings",
        customer,
        {"event_id": str(world.event_id), "payment_method": method, "total_cents": PRICE},
        {
            "event_id": str(other),
            "seats": 2,
            "payment_method": "invoice",
            "customer_id": str(customer),
            "guest": True,
            "hold_id": str(uuid4()),
            "promo_code": "OTHER",
            "total_cents": 2 * PRICE,
        },
        cancel,
    )


def accept(world: World) -> Case:
    customer = world.rich()
    entries = []
    for event_id in (world.event(capacity=1), world.event(capacity=1)):
        full = world.book(world.rich(), "wallet", event_id=event_id)
        path = f"/events/{event_id}/waitlist"
        entries.append(gateway.post("waitlist", path, {"seats": 1}, caller=customer).body["id"])
        world.cancel(full)
    return Case(
        f"/waitlist/{entries[0]}/accept",
        customer,
        {"payment_method": "wallet"},
        {"payment_method": "pass", "promo_code": "OTHER", "total_cents": PRICE},
        lambda made: world.cancel({"id": made["booking_id"]}),
        other_path=f"/waitlist/{entries[1]}/accept",
    )


def refund(world: World) -> Case:
    bookings = [world.book(world.rich(), "wallet", event_id=world.event(capacity=5))["id"] for _ in range(2)]
    return Case(
        f"/bookings/{bookings[0]}/refunds",
        world.stage.owner,
        {"amount_cents": 100},
        {"amount_cents": 200, "destination": "wallet"},
        lambda made: world.cancel({"id": bookings[0]}),
        other_path=f"/bookings/{bookings[1]}/refunds",
    )


def grant(world: World) -> Case:
    customer = world.customer()
    return Case(
        "/credits/grants",
        world.stage.owner,
        {
            "organization_id": str(world.stage.organization_id),
            "customer_id": str(customer),
            "kind": "wallet",
            "amount": PRICE,
            "currency": "CHF",
            "note": "Welcome",
        },
        {
            "customer_id": str(world.customer()),
            "amount": 1,
            "currency": "EUR",
            "expires_at": START.isoformat(),
            "note": "Another",
        },
        lambda made: world.book(customer, "wallet"),
    )


def create_event(world: World) -> Case:
    return Case(
        "/events",
        world.stage.owner,
        {
            "organization_id": str(world.stage.organization_id),
            "title": "Yoga",
            "starts_at": START.isoformat(),
            "ends_at": (START + timedelta(hours=1)).isoformat(),
            "capacity": 5,
        },
        {"title": "Another", "capacity": 6, "price_cents": 100, "visibility": "private"},
        lambda made: gateway.patch(
            "manage-events", f"/events/{made['id']}", {"title": "Edited", "capacity": 9}, caller=world.stage.owner
        ),
    )


def copy_event(world: World) -> Case:
    original, other = (world.event(capacity=5) for _ in range(2))
    return Case(
        f"/events/{original}/copy",
        world.stage.owner,
        {"starts_at": START.isoformat(), "changes": {"title": "Copy"}},
        {"status": "scheduled", "changes": {"title": "Another"}},
        lambda made: gateway.patch(
            "manage-events", f"/events/{made['id']}", {"title": "Edited", "capacity": 9}, caller=world.stage.owner
        ),
        other_path=f"/events/{other}/copy",
    )


def close_period(world: World) -> Case:
    path = f"/organizations/{world.stage.organization_id}/closures"
    place = {"name": "Main", "city": "Zurich", "country": "CH", "time_zone": "Europe/Zurich"}
    at = f"/organizations/{world.stage.organization_id}/locations"
    location_id = gateway.post("organizations", at, place, caller=world.stage.owner).body["id"]
    return Case(
        path,
        world.stage.owner,
        {"from": "2030-12-24", "until": "2030-12-26", "reason": "Christmas."},
        {"from": "2030-12-23", "until": "2030-12-27", "reason": "Works.", "location_id": location_id},
        lambda made: gateway.delete("manage-events", f"{path}/{made['id']}", caller=world.stage.owner),
    )


def create_series(world: World) -> Case:
    def edit(made: dict[str, Any]) -> gateway.Answer:
        path = f"/series/{made['id']}"
        gateway.post("manage-events", f"{path}/pause", caller=world.stage.owner)
        return gateway.patch("manage-events", path, {"scope": "all", "title": "Edited"}, caller=world.stage.owner)

    return Case(
        "/series",
        world.stage.owner,
        {
            "organization_id": str(world.stage.organization_id),
            "title": "Yoga",
            "recurrence": "RRULE:FREQ=WEEKLY;BYDAY=MO",
            "local_start_time": "18:00",
            "start_date": START.date().isoformat(),
            "duration_minutes": 60,
        },
        {"title": "Another", "duration_minutes": 75, "recurrence": "RRULE:FREQ=WEEKLY;BYDAY=TU"},
        edit,
    )


def buy(world: World) -> Case:
    first, second = (packages.offer(world, price_cents=20000) for _ in range(2))

    def pay(made: dict[str, Any]) -> None:
        facts = {"stripe_id": made["payment"]["stripe_payment_intent_id"]}
        packages.apply_payment(world, made, **facts)
        packages.refund(world, made)

    return Case(
        f"/packages/{first['id']}/purchases",
        world.rich(),
        {"payment_method": "card"},
        {"payment_method": "twint", "total_cents": 20000},
        pay,
        other_path=f"/packages/{second['id']}/purchases",
    )


def desk(world: World) -> Till:
    """Return the desk of an organization, where customers cancel without a cost."""
    return Till(world.db, capacity=None, cancel_hours_before=0)


def in_cash(till: Till) -> dict[str, Any]:
    """Book for a customer who pays in cash."""
    body = {"event_id": str(till.event_id), "payment_method": "cash", "customer_id": str(till.booker)}
    booked: dict[str, Any] = gateway.post("book", "/bookings", body, caller=till.owner, key=uuid4().hex).body
    return booked


OTHER_PAYMENT = {"payment_method": "terminal", "location_id": str(uuid4()), "total_cents": 1}


def pay_fee(world: World) -> Case:
    till = desk(world)
    till.miss(in_cash(till))
    fee_id = till.fee_id()
    return Case(
        f"/fees/{fee_id}/desk-payment",
        till.owner,
        {"payment_method": "cash"},
        OTHER_PAYMENT,
        lambda made: till.call("select payments.waive_fee(%s)", fee_id),
        other_path=f"/fees/{uuid4()}/desk-payment",
    )


def pay_invoice(world: World) -> Case:
    till = desk(world)
    booking = till.buy_with("invoice")
    (invoice,) = gateway.get("invoices", "/invoices", caller=till.booker).body["items"]
    return Case(
        f"/invoices/{invoice['id']}/desk-payment",
        till.owner,
        {"payment_method": "cash"},
        OTHER_PAYMENT,
        lambda made: till.cancel(booking),
        other_path=f"/invoices/{uuid4()}/desk-payment",
    )


def sell_package(world: World) -> Case:
    till = desk(world)
    return Case(
        f"/packages/{packages.offer(till)['id']}/desk-sales",
        till.owner,
        {"payment_method": "cash", "customer_id": str(till.booker)},
        {**OTHER_PAYMENT, "customer_id": str(till.stage.customer())},
        lambda made: packages.refund(till, made),
        other_path=f"/packages/{packages.offer(till)['id']}/desk-sales",
    )


def pay_out(world: World) -> Case:
    till = desk(world)
    till.cancel(in_cash(till))
    (refund,) = gateway.get("refunds", "/refunds", caller=till.owner).body["items"]
    return Case(
        f"/refunds/{refund['id']}/payout",
        till.owner,
        {},
        {"location_id": str(uuid4())},
        lambda made: in_cash(till),
        other_path=f"/refunds/{uuid4()}/payout",
    )


def transfer(world: World) -> Case:
    till = desk(world)
    path = f"/organizations/{till.stage.organization_id}/till"
    place = {"name": "Main", "city": "Zurich", "country": "CH", "time_zone": "Europe/Zurich"}
    at = f"/organizations/{till.stage.organization_id}/locations"
    location_id = gateway.post("organizations", at, place, caller=till.owner).body["id"]
    return Case(
        f"{path}/transfers",
        till.owner,
        {"amount_cents": 100, "note": "Change."},
        {"amount_cents": 200, "note": "Other.", "location_id": location_id, "currency": "EUR"},
        lambda made: gateway.post("desk", f"{path}/closings", {"counted_cents": 100}, caller=till.owner),
    )


def create_organization(world: World) -> Case:
    founder = world.customer()
    body = {"name": "Studio", "slug": "studio", "country": "CH", "currency": "CHF", "time_zone": "Europe/Zurich"}
    return Case(
        "/organizations",
        founder,
        body,
        {"name": "Other", "slug": "other", "time_zone": "Europe/Paris"},
        lambda made: gateway.patch("organizations", f"/organizations/{made['id']}", {"name": "New"}, caller=founder),
    )


def move(world: World) -> Case:
    customer = world.rich()
    booking = world.book(customer, "wallet", event_id=world.event())
    target, other = world.event(), world.event()
    return Case(
        f"/bookings/{booking['id']}/move",
        customer,
        {"event_id": str(target), "total_cents": PRICE},
        {"event_id": str(other), "payment_method": "pass", "promo_code": "OTHER", "total_cents": 1},
        world.cancel,
        other_path=f"/bookings/{world.book(customer, 'wallet', event_id=world.event())['id']}/move",
    )


def return_seats(world: World) -> Case:
    customer = world.rich()
    booking = world.book(customer, "wallet", event_id=world.event(capacity=9), seats=3)
    return Case(
        f"/bookings/{booking['id']}/seats",
        customer,
        {"seats": 2},
        {"seats": 1},
        world.cancel,
        other_path=f"/bookings/{world.book(customer, 'wallet', event_id=world.event(), seats=3)['id']}/seats",
    )


def create_customer(world: World) -> Case:
    return Case(
        f"/organizations/{world.stage.organization_id}/customers",
        world.stage.owner,
        {"name": "Ana", "phone": "+41 79 123 45 67"},
        {"name": "Eva", "phone": "+41 79 123 45 68", "email": "eva@example.org", "language": "fr", "tags": ["new"],
         "note": "Other."},
        nothing,
    )  # fmt: skip


def add_note(world: World) -> Case:
    customer = world.rich()
    world.book(customer, "wallet")
    return Case(
        f"/organizations/{world.stage.organization_id}/customers/{customer}/notes",
        world.stage.owner,
        {"note": "Needs a seat near the door."},
        {"note": "Other."},
        nothing,
    )


def nothing(_made: dict[str, Any]) -> None:
    """Change nothing: names and notes are not kept with a key, so a repeated request has them as they are now."""


CASES: dict[tuple[str, str], list[Callable[[World], Case]]] = {
    ("POST", "/bookings"): [lambda world: book(world, "wallet"), lambda world: book(world, "card")],
    ("POST", "/bookings/{booking_id}/move"): [move],
    ("POST", "/bookings/{booking_id}/refunds"): [refund],
    ("POST", "/bookings/{booking_id}/seats"): [return_seats],
    ("POST", "/credits/grants"): [grant],
    ("POST", "/events"): [create_event],
    ("POST", "/events/{event_id}/copy"): [copy_event],
    ("POST", "/fees/{fee_id}/desk-payment"): [pay_fee],
    ("POST", "/invoices/{invoice_id}/desk-payment"): [pay_invoice],
    ("POST", "/organizations"): [create_organization],
    ("POST", "/organizations/{organization_id}/closures"): [close_period],
    ("POST", "/organizations/{organization_id}/customers"): [create_customer],
    ("POST", "/organizations/{organization_id}/customers/{customer_id}/notes"): [add_note],
    ("POST", "/organizations/{organization_id}/till/transfers"): [transfer],
    ("POST", "/packages/{package_id}/desk-sales"): [sell_package],
    ("POST", "/packages/{package_id}/purchases"): [buy],
    ("POST", "/refunds/{refund_id}/payout"): [pay_out],
    ("POST", "/series"): [create_series],
    ("POST", "/waitlist/{entry_id}/accept"): [accept],
}
KEY_PER_PART = {
    ("POST", "/series/{series_id}/bookings"): "each occurrence has its own key: tests/booking/test_series_bookings.py"
}
"""Operations that derive keys for their parts and try refused parts again, and where they are tested."""


@pytest.fixture
def world(db, stripe):  # noqa: F811 the fixture
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    world = World(db)
    yield world
    assert world.findings() == []


@pytest.fixture(scope="module")
def api():
    return Api({})


def test_every_keyed_operation_has_a_case():
    assert sorted([*CASES, *KEY_PER_PART]) == KEYED


@pytest.mark.parametrize(
    ("operation", "number"),
    [(operation, number) for operation in sorted(CASES) for number in range(len(CASES[operation]))],
)
def test_key_belongs_to_its_request_and_has_the_first_response(world, api, operation, number):
    case = CASES[operation][number](world)
    function, _ = api.function_of(operation[0], operation[1])

    def send(path: str = case.path, caller: Any = None, **changes: Any) -> gateway.Answer:
        return gateway.post(function, path, {**case.body, **changes}, caller=caller or case.caller, key="tap")

    first = send()
    assert first.status in (200, 201), first.body
    assert send().text == first.text

    for name, value in case.others.items():
        other = send(**{name: value})
        assert (other.status, other.body["code"]) == (422, "idempotency_conflict"), name
    if case.other_path is not None:
        other = send(case.other_path)
        assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    unsent = api.document["paths"][operation[1]][operation[0].lower()]["requestBody"]
    assert set(case.others) <= members(api.document, unsent)

    case.then(first.body)
    again = send()
    assert (again.status, again.text) == (first.status, first.text)


def members(document: dict[str, Any], body: dict[str, Any]) -> set[str]:
    """Return the names of the members of a request's body."""
    schema = body["content"]["application/json"]["schema"]
    for reference in (schema.get("$ref"), *(each.get("$ref") for each in schema.get("anyOf", []))):
        if reference is not None:
            return set(document["components"]["schemas"][reference.rsplit("/", 1)[1]]["properties"])
    raise AssertionError(schema)


def test_key_of_one_caller_is_new_for_another(world):
    """Staff with the same key refund the same booking: each makes a refund."""
    booking = world.book(world.rich(), "wallet")
    path = f"/bookings/{booking['id']}/refunds"

    made = [
        gateway.post("refunds", path, {"amount_cents": 100}, caller=caller, key="tap").body["id"]
        for caller in (world.stage.owner, world.stage.member("accountant"))
    ]

    assert made[0] != made[1]
    assert world.one("select refunded_cents from payments.sales") == 200


def test_key_of_the_greatest_length_is_accepted(world):
    booking = world.book(world.rich(), "wallet")

    made = gateway.post(
        "refunds", f"/bookings/{booking['id']}/refunds", {"amount_cents": 1}, caller=world.stage.owner, key="k" * 255
    )

    assert made.status == 201
