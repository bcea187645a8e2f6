"""PATCH /bookings/{id}/payment: an unpaid booking is paid by another method, and its seats are paid once."""

import pytest

from marquee.payments import intents
from tests.kit import gateway, money_invariants, routines
from tests.kit.stages import DRIFT
from tests.kit.stripe_standin import settle, stand_in, stripe  # noqa: F401 fixtures
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db, stripe):  # noqa: F811 the fixture
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    desk = CreditBookings(db, capacity=1)
    desk.allow_invoices()
    yield desk
    assert desk.findings() == []
    assert db.execute(DRIFT).fetchall() == []


@pytest.fixture
def customer(desk):
    return desk.customer()


def book(desk, customer, method="card", key="tap", **more):
    request = {"event_id": str(desk.event_id), "payment_method": method, **more}
    return gateway.post("book", "/bookings", request, caller=customer, key=key)


def change(booking, customer, method, **more):
    path = f"/bookings/{booking['id']}/payment"
    return gateway.patch("book", path, {"payment_method": method, **more}, caller=customer)


def pay(desk, stripe, booking, **how):  # noqa: F811 the fixture
    stripe.pay(booking["payment"]["stripe_payment_intent_id"], **how)
    stripe.run()


def sweep(desk):
    desk.db.execute("update payments.intents set available_at = now()")
    desk.db.execute("update payments.refunds set available_at = now()")
    settle()


def booking_row(desk):
    query = "select status::text, payment_method::text as method, price_cents as price from events.bookings"
    return tuple(desk.db.execute(query).fetchone().values())


@pytest.mark.parametrize(("method", "price"), [("wallet", PRICE), ("pass", 0), ("invoice", PRICE)])
def test_other_method_pays_at_once_and_cancels_the_payment_at_stripe(desk, stripe, customer, method, price):  # noqa: F811
    desk.give(customer, PRICE)
    desk.give_pass(customer, 1)
    booking = book(desk, customer).body

    changed, again = (change(booking, customer, method) for _ in range(2))

    assert (changed.status, changed.body["status"], changed.body["payment_method"]) == (200, "confirmed", method)
    assert (changed.body["price_cents"], changed.body["payment"]) == (price, None)
    assert again.text == changed.text
    at_stripe = stripe.v1.payment_intents.retrieve(booking["payment"]["stripe_payment_intent_id"])
    assert at_stripe.status == "canceled"
    sweep(desk)
    assert booking_row(desk) == ("confirmed", method, price)
    desk.cancel(booking)
    refunds = [tuple(row.values()) for row in desk.db.execute("select destination, status::text from payments.refunds")]
    assert refunds == ([] if method == "pass" else [(method, "succeeded")])


def test_card_and_twint_share_one_payment(desk, stripe, customer):  # noqa: F811
    booking = book(desk, customer).body

    changed, again = (change(booking, customer, "twint") for _ in range(2))

    payment = changed.body["payment"]
    assert (changed.status, changed.body["status"], payment["method"]) == (200, "pending_payment", "twint")
    assert payment["client_secret"] == booking["payment"]["client_secret"]
    assert again.text == changed.text
    (at_stripe,) = stripe.v1.payment_intents.list().data
    assert list(at_stripe.payment_method_types) == ["twint"]
    assert book(desk, customer).text == book(desk, customer).text
    assert book(desk, customer).body == booking
    pay(desk, stripe, booking, payment_method="twint")
    sweep(desk)
    assert booking_row(desk) == ("confirmed", "twint", PRICE)


def test_payment_that_succeeded_meanwhile_is_kept(desk, stripe, customer):  # noqa: F811
    desk.give(customer, PRICE)
    booking = book(desk, customer).body
    pay(desk, stripe, booking)

    refused = change(booking, customer, "wallet")

    assert (refused.status, refused.body["code"]) == (409, "nothing_to_pay")
    assert booking_row(desk) == ("confirmed", "card", PRICE)
    assert desk.lots(customer) == [(PRICE, PRICE)]


def test_payment_that_succeeds_after_the_change_is_refunded_once(desk, stripe, customer, monkeypatch):  # noqa: F811
    desk.give(customer, PRICE)
    booking = book(desk, customer).body
    with monkeypatch.context() as away:
        away.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        changed = change(booking, customer, "wallet")
    pay(desk, stripe, booking)

    for _ in range(2):
        sweep(desk)
        stripe.run()

    assert changed.body["status"] == "confirmed"
    assert booking_row(desk) == ("confirmed", "wallet", PRICE)
    refunds = desk.db.execute("select amount_cents, destination, cause, status::text from payments.refunds").fetchall()
    assert [tuple(row.values()) for row in refunds] in (
        [(PRICE, "original", "too_late", "succeeded")],
        [(PRICE, "original", "too_late", "pending")],
    )
    (charge,) = stripe.v1.charges.list().data
    assert charge.amount_refunded == PRICE
    desk.cancel(booking)
    assert desk.lots(customer) == [(PRICE, PRICE)]


@pytest.mark.parametrize("cents", [PRICE, 4000])
def test_payment_that_succeeds_after_the_change_and_is_refunded_at_stripe_returns_once(desk, stripe, customer, cents):  # noqa: F811
    desk.give(customer, PRICE)
    booking = book(desk, customer).body
    stripe.fail("unavailable", "/cancel", times=50)
    assert change(booking, customer, "wallet").body["status"] == "confirmed"
    stripe.control("/faults", "DELETE")
    payment_id = booking["payment"]["stripe_payment_intent_id"]
    stripe.pay(payment_id)
    stripe.v1.refunds.create({"payment_intent": payment_id, "amount": cents})

    for _ in range(3):
        sweep(desk)
        stripe.run()

    assert booking_row(desk) == ("confirmed", "wallet", PRICE)
    assert desk.lots(customer) == [(PRICE, 0)]
    (charge,) = stripe.v1.charges.list().data
    assert charge.amount_refunded == PRICE
    assert money_invariants.clearing_cents(desk.db) == -desk.balances()["platform fees"]
    assert money_invariants.findings(desk.db) == []


def test_payment_succeeds_between_the_look_and_the_change(desk, stripe, customer, monkeypatch):  # noqa: F811
    desk.give(customer, PRICE)
    booking = book(desk, customer).body
    cancel = intents.cancel

    def paid_first(*arguments):
        pay(desk, stripe, booking)
        cancel(*arguments)

    monkeypatch.setattr(intents, "cancel", paid_first)

    changed = change(booking, customer, "wallet")

    assert changed.body["status"] == "confirmed"
    assert booking_row(desk) == ("confirmed", "wallet", PRICE)
    causes = [row["cause"] for row in desk.db.execute("select cause from payments.refunds")]
    assert causes == ["too_late"]


def test_method_that_stripe_does_not_offer_leaves_the_payment_as_it_was(desk, stripe, customer, monkeypatch):  # noqa: F811
    booking = book(desk, customer).body
    before = gateway.get("book", f"/bookings/{booking['id']}/payment", caller=customer)

    def refuse(*_):
        raise intents.stripe_calls.StripeRefused("method_not_offered", "The account takes no twint in CHF.")

    monkeypatch.setattr(intents, "change_method", refuse)

    refused = change(booking, customer, "twint")

    assert (refused.status, refused.body["code"]) == (409, "payment_not_possible")
    assert gateway.get("book", f"/bookings/{booking['id']}/payment", caller=customer).text == before.text
    assert booking_row(desk) == ("pending_payment", "card", PRICE)


def test_change_to_twint_waits_for_stripe(desk, stripe, customer, monkeypatch):  # noqa: F811
    booking = book(desk, customer).body
    with monkeypatch.context() as away:
        away.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        assert change(booking, customer, "twint").status == 503

    assert change(booking, customer, "twint").status == 200


def test_payment_that_stripe_does_not_have_yet_is_never_created(desk, stripe, customer, monkeypatch):  # noqa: F811
    desk.give(customer, PRICE)
    with monkeypatch.context() as away:
        away.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        booking = book(desk, customer).body
        changed = change(booking, customer, "wallet")
    sweep(desk)
    gateway.post("book", f"/bookings/{booking['id']}/payment", caller=customer)

    assert changed.body["status"] == "confirmed"
    assert stripe.v1.payment_intents.list().data == []


@pytest.mark.parametrize(
    ("method", "more", "code"),
    [
        ("wallet", {}, "insufficient_funds"),
        ("pass", {}, "insufficient_credits"),
        ("wallet", {"total_cents": 1}, "price_changed"),
    ],
)
def test_refused_change_changes_nothing(desk, customer, method, more, code):
    desk.give_pass(desk.customer(), 1)
    booking = book(desk, customer).body

    assert change(booking, customer, method, **more).body["code"] == code
    assert booking_row(desk) == ("pending_payment", "card", PRICE)


def test_price_of_the_booking_stays(desk, customer):
    booking = book(desk, customer).body
    desk.db.execute("update events.events set price_cents = 9 * price_cents")
    desk.give(customer, PRICE)

    assert change(booking, customer, "wallet", total_cents=PRICE).body["price_cents"] == PRICE


def test_ended_and_foreign_bookings_cannot_change(desk, customer):
    booking = book(desk, customer).body

    assert change(booking, desk.customer(), "wallet").body["code"] == "payment_not_found"
    desk.cancel(booking, customer)
    assert change(booking, customer, "invoice").body["code"] == "nothing_to_pay"


def test_processing_payment_keeps_its_method(desk, customer):
    booking = book(desk, customer).body
    desk.db.execute("update payments.intents set status = 'processing'")
    query = "select events.change_payment_method(%s, 'invoice')"

    with pytest.raises(Exception, match="payment_processing"):
        routines.call(desk.db, customer, query, [booking["id"]])


def test_staff_may_change_the_method_at_the_desk(desk, customer):
    booking = book(desk, customer).body

    assert change(booking, desk.stage.owner, "invoice").body["status"] == "confirmed"
