"""A payment that cannot succeed stores nothing: it is refused before, or undone when Stripe refuses it for good."""

import pytest

from local.stripe.money import AMOUNT_MIN
from tests.kit import gateway, packages, routines
from tests.kit.stages import DRIFT
from tests.kit.stripe_standin import settle, stand_in, stripe  # noqa: F401 fixtures
from tests.kit.wallets import CreditBookings


@pytest.fixture
def desk(db, stripe):  # noqa: F811 the fixture
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    desk = CreditBookings(db, capacity=1)
    yield desk
    assert desk.findings() == []
    assert db.execute(DRIFT).fetchall() == []


@pytest.fixture
def stripe_refuses(desk):
    """Let the check of Stripe's least amount pass, so that Stripe itself refuses small amounts."""
    desk.db.execute("update ref.currencies set charge_min_cents = 1")


def promo_code(desk, code="ALMOST", percent_bps=9990, **more):
    """Create a promo code that leaves 0.10 of 100.00."""
    given = {"kind": "percent", "code": code, "percent_bps": percent_bps, "uses_most": 1, **more}
    named = ", ".join(f"{name} => %({name})s" for name in given)
    query = f"select payments.create_promo_code(organization_id => %(organization)s, {named})"
    routines.call(desk.db, desk.stage.owner, query, {**given, "organization": desk.stage.organization_id})


def book(desk, customer, method="card", key="tap", **more):
    request = {"event_id": str(desk.event_id), "payment_method": method, **more}
    return gateway.post("book", "/bookings", request, caller=customer, key=key)


def uses(desk):
    return desk.db.execute("select used from payments.promo_codes").fetchone()["used"]


def rows(desk):
    """Count everything that a booking or a purchase stores."""
    names = ("events.bookings", "events.holds", "payments.intents", "payments.quotes", "payments.purchases")
    return {name: desk.db.execute(f"select count(*) as n from {name}").fetchone()["n"] for name in names}


@pytest.mark.parametrize("method", ["card", "twint"])
def test_amount_below_the_least_charge_is_refused_before_anything_is_stored(desk, method):
    promo_code(desk)
    customer = desk.customer()

    answer = book(desk, customer, method, promo_code="ALMOST")

    assert (answer.status, answer.body["code"]) == (402, "payment_required")
    assert (answer.body["price_cents"], answer.body["methods"]) == (10, [])
    assert set(rows(desk).values()) == {0}
    assert uses(desk) == 0

    desk.give(customer, 10)
    assert book(desk, customer, method, promo_code="ALMOST").body["methods"] == ["wallet"]
    assert book(desk, customer, "wallet", promo_code="ALMOST").status == 201


def offered(desk, customer):
    """Offer the only seat to a customer on the waitlist, and return the entry."""
    booked = desk.book(desk.customer(), "invoice")
    entry = gateway.post("waitlist", f"/events/{desk.event_id}/waitlist", caller=customer).body
    desk.cancel(booked)
    return entry


def entry_of(desk, customer):
    return gateway.get("waitlist", f"/events/{desk.event_id}/waitlist", caller=customer).body


@pytest.fixture
def invoices(desk):
    desk.allow_invoices()


def test_offer_stays_open_when_its_payment_is_impossible(desk, invoices):
    promo_code(desk)
    customer = desk.customer()
    entry = offered(desk, customer)

    answer = gateway.post(
        "waitlist",
        f"/waitlist/{entry['id']}/accept",
        {"payment_method": "card", "promo_code": "ALMOST"},
        caller=customer,
        key="tap",
    )

    assert (answer.status, answer.body["methods"]) == (402, ["invoice"])
    assert entry_of(desk, customer)["status"] == "offered"
    assert uses(desk) == 0


def test_package_below_the_least_charge_is_refused_before_anything_is_stored(desk):
    package = packages.offer(desk, price_cents=10, amount=1)

    answer = gateway.post(
        "wallet", f"/packages/{package['id']}/purchases", {"payment_method": "card"}, caller=desk.customer(), key="tap"
    )

    assert (answer.status, answer.body["methods"]) == (402, [])
    assert set(rows(desk).values()) == {0}


@pytest.mark.parametrize(
    ("currency", "total", "methods"),
    [
        ("CHF", 49, []),
        ("CHF", 50, ["card", "twint"]),
        ("EUR", 50, ["card"]),
        ("GBP", 29, []),
        ("GBP", 30, ["card"]),
        ("SEK", 299, []),
        ("CZK", 1500, ["card"]),
        ("JPY", 49, []),
        ("CHF", 99_999_999, ["card", "twint"]),
        ("CHF", 100_000_000, []),
    ],
)
def test_stripes_methods_are_listed_for_amounts_that_stripe_charges(db, currency, total, methods):
    query = """
        select payments.payment_methods(
            jsonb_populate_record(
                null::payments.quotes, jsonb_build_object('total_cents', %s::bigint, 'currency', %s::text)
            )
        )::text[] as methods
    """

    assert db.execute(query, [total, currency]).fetchone()["methods"] == methods


def test_least_charges_are_those_of_stripe(db):
    rows = db.execute("select lower(code) as code, charge_min_cents as cents from ref.currencies").fetchall()

    ours = {row["code"]: row["cents"] for row in rows}
    assert len(ours.keys() & AMOUNT_MIN.keys()) > 10
    assert {code: cents for code, cents in ours.items() if AMOUNT_MIN.get(code, cents) != cents} == {}


def test_wallet_and_pass_are_listed_when_they_suffice(desk):
    customer = desk.customer()

    def methods():
        return book(desk, customer, None).body["methods"]

    assert methods() == ["card", "twint"]
    desk.give(customer, 9999)
    desk.give_pass(customer, 1, categories=["yoga"])
    assert methods() == ["card", "twint"]
    desk.give(customer, 1)
    desk.give_pass(customer, 1)
    assert methods() == ["card", "twint", "wallet", "pass"]


def test_wallet_of_another_currency_is_not_listed(desk):
    customer = desk.customer()
    desk.give(customer, 100_000, currency="EUR")

    assert book(desk, customer, None).body["methods"] == ["card", "twint"]


def test_booking_that_stripe_refuses_is_undone_at_once(desk, stripe_refuses):
    promo_code(desk)
    customer = desk.customer()

    refused, again = (book(desk, customer, promo_code="ALMOST") for _ in range(2))

    assert (refused.status, refused.body["code"]) == (409, "payment_not_possible")
    assert (again.status, again.body["stripe_code"]) == (409, "amount_too_small")
    assert uses(desk) == 0
    seats = desk.db.execute("select taken, held from events.inventory").fetchone()
    assert seats == {"taken": 0, "held": 0}
    assert desk.db.execute("select from public.outbox where topic like 'booking.%'").fetchall() == []

    desk.give(customer, 10)
    assert book(desk, customer, "wallet", "another", promo_code="ALMOST").body["status"] == "confirmed"


def test_refused_payment_returns_the_hold_with_its_expiry(desk, stripe_refuses):
    promo_code(desk)
    customer = desk.customer()
    hold = gateway.post("book", "/holds", {"event_id": str(desk.event_id)}, caller=customer).body

    refused = book(desk, customer, promo_code="ALMOST", hold_id=hold["id"])

    assert refused.status == 409
    row = desk.db.execute("select id::text, status::text, expires_at, ended_at from events.holds").fetchone()
    assert (row["id"], row["status"], row["ended_at"]) == (hold["id"], "active", None)
    assert gateway.post("book", "/holds", {"event_id": str(desk.event_id)}, caller=customer).body == hold
    desk.give(customer, 10)
    booked = book(desk, customer, "wallet", "another", promo_code="ALMOST", hold_id=hold["id"])
    assert booked.body["status"] == "confirmed"


def test_refused_payment_returns_the_offer(desk, invoices, stripe_refuses):
    promo_code(desk)
    customer, next_one = desk.customer(), desk.customer()
    entry = offered(desk, customer)
    before = entry_of(desk, customer)
    gateway.post("waitlist", f"/events/{desk.event_id}/waitlist", caller=next_one)
    body = {"payment_method": "card", "promo_code": "ALMOST"}
    accepted = gateway.post("waitlist", f"/waitlist/{entry['id']}/accept", body, caller=customer, key="tap").body

    refused = gateway.post("book", f"/bookings/{accepted['booking_id']}/payment", caller=customer)

    assert (refused.status, refused.body["code"]) == (409, "payment_not_possible")
    assert entry_of(desk, customer) == before
    assert entry_of(desk, next_one)["status"] == "waiting"
    again = {"payment_method": "invoice", "promo_code": "ALMOST"}
    paid = gateway.post("waitlist", f"/waitlist/{entry['id']}/accept", again, caller=customer, key="again")
    assert (paid.status, paid.body["status"]) == (200, "accepted")


def test_sweep_undoes_a_refused_booking_and_tells_the_customer(desk, stripe_refuses):
    promo_code(desk)
    customer = desk.customer()
    desk.book(customer, "card", promo_code="ALMOST")
    desk.db.execute("update payments.intents set available_at = now()")

    settle()

    assert desk.db.execute("select status::text from events.bookings").fetchone()["status"] == "expired"
    assert uses(desk) == 0
    topics = desk.db.execute("select topic from public.outbox where topic like 'booking.%'").fetchall()
    assert [row["topic"] for row in topics] == ["booking.expired"]
    assert desk.book(customer, "card", promo_code=None)["status"] == "pending_payment"


def test_purchase_that_stripe_refuses_expires_at_once(desk, stripe_refuses):
    package = packages.offer(desk, price_cents=10, amount=1)
    path, body = f"/packages/{package['id']}/purchases", {"payment_method": "card"}

    refused, again = (gateway.post("wallet", path, body, caller=desk.stage.owner, key="tap") for _ in range(2))

    assert (refused.status, refused.body["code"]) == (409, "payment_not_possible")
    assert (again.status, again.body["code"]) == (409, "payment_not_possible")
    assert desk.db.execute("select status::text from payments.purchases").fetchone()["status"] == "expired"


@pytest.mark.parametrize(("seats", "left"), [(4, {"offer": 2, "online": 1}), (2, {"offer": 2})])
def test_refused_payment_returns_the_hold_and_the_offer_that_its_booking_used(desk, seats, left):
    other, customer = desk.customer(), desk.customer()
    desk.give(other, 90000)
    event_id = desk.event(price_cents=10000, capacity=4)
    booking = desk.book(other, "wallet", seats=3, event_id=event_id)
    routines.call(desk.db, customer, "select events.join_waitlist(event_id => %s, seats => 3)", [event_id])
    routines.call(desk.db, customer, "select events.hold_seats(event_id => %s, seats => 1)", [event_id])
    desk.cancel(booking, other)

    unpaid = desk.book(customer, "card", seats=seats, event_id=event_id)
    intent_id = desk.db.execute("select id from payments.intents where booking_id = %s", [unpaid["id"]]).fetchone()[
        "id"
    ]
    routines.call(desk.db, None, "select payments.refuse_intent(intent_id => %s, error => '{}')", [intent_id])

    query = (
        "select purpose::text, seats, seat_prices_cents from events.holds where customer_id = %s and status = 'active'"
    )
    held = desk.db.execute(query, [customer]).fetchall()
    assert {row["purpose"]: row["seats"] for row in held} == left
    assert all(row["seat_prices_cents"] == [10000] * row["seats"] for row in held)
    entry = desk.db.execute("select status, seats, booking_id from events.waitlist_entries").fetchone()
    assert (entry["status"], entry["seats"], entry["booking_id"]) == ("offered", 2, None)  # the hold lowered the entry
