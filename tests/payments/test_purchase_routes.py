"""Routes for buying credits by card, with the Stripe stand-in and the real ledger."""

import os
from datetime import UTC, datetime

import pytest

from marquee.edge import secrets
from marquee.edge.stripe import connect
from marquee.payments import intents
from tests.kit import gateway, routines
from tests.kit.stripe_process import Api, Process
from tests.kit.wallets import CreditBookings

KEY = "sk_test_buying_0123456789"


@pytest.fixture(scope="module")
def address():
    process = Process(":memory:")
    yield process.url
    process.stop()


@pytest.fixture
def stripe(address, monkeypatch):
    """Return the empty stand-in, to which the functions connect."""
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", address)
    api = Api(address, KEY)
    api.control("/reset")
    return api


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


@pytest.fixture
def package(desk):
    """Create a pass for ten classes at 200.00."""
    return routines.call(
        desk.db,
        desk.stage.owner,
        "select payments.create_package(%s, 'Ten classes', 'pass', 20000, 'CHF', 10)",
        [desk.stage.organization_id],
    )


def buy(package, customer, key="tap", method="card"):
    path = f"/packages/{package['id']}/purchases"
    return gateway.post("wallet", path, {"payment_method": method}, caller=customer, key=key)


def settle(payment):
    client = connect(secrets.stripe_key(), base=os.environ["STRIPE_API_BASE"])
    return intents.settle(client, payment["stripe_payment_intent_id"], lambda: datetime.now(UTC))


def test_pass_paid_by_card_pays_for_a_booking(stripe, desk, package):
    customer = desk.customer()

    purchase = buy(package, customer)
    stripe.v1.payment_intents.confirm(
        purchase.body["payment"]["stripe_payment_intent_id"],
        {"payment_method": "pm_card_visa", "return_url": "https://example.org"},
    )
    settle(purchase.body["payment"])

    assert (purchase.status, purchase.body["status"]) == (201, "pending")
    assert gateway.get("wallet", f"/purchases/{purchase.body['id']}", caller=customer).body["status"] == "granted"
    assert desk.book(customer, "pass")["status"] == "confirmed"
    assert desk.lots(customer) == [(10, 9)]


def test_retry_returns_the_same_payment(stripe, desk, package):
    customer = desk.customer()

    first, second = (buy(package, customer) for _ in range(2))

    assert first.body["id"] == second.body["id"]
    assert first.body["payment"]["client_secret"] == second.body["payment"]["client_secret"]
    assert len(stripe.v1.payment_intents.list().data) == 1


def test_sweep_creates_the_payment_that_could_not_reach_stripe(stripe, desk, package, monkeypatch):
    customer = desk.customer()
    with monkeypatch.context() as away:
        away.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        purchase = buy(package, customer)
    assert purchase.body["payment"]["client_secret"] is None
    desk.db.execute("update payments.intents set available_at = now()")
    client = connect(secrets.stripe_key(), base=os.environ["STRIPE_API_BASE"])

    swept = intents.sweep(lambda: client, lambda: datetime.now(UTC), lambda *_: None)

    assert (swept.done, swept.refused) == (1, 0)
    (made,) = stripe.v1.payment_intents.list().data
    assert made.metadata["purchase_id"] == purchase.body["id"]
    assert buy(package, customer).body["payment"]["client_secret"] == made.client_secret


def test_purchase_without_a_payment_method_returns_price_and_methods(stripe, desk, package):
    answer = buy(package, desk.customer(), method=None)

    assert (answer.status, answer.body["code"], answer.body["price_cents"]) == (402, "payment_required", 20000)
    assert answer.body["methods"] == ["card", "twint"]


def test_staff_refund_of_a_package_appears_in_the_customers_refunds(stripe, desk, package):
    customer = desk.customer()
    purchase = buy(package, customer).body
    stripe.v1.payment_intents.confirm(
        purchase["payment"]["stripe_payment_intent_id"],
        {"payment_method": "pm_card_visa", "return_url": "https://example.org"},
    )
    settle(purchase["payment"])

    customers = gateway.post("wallet", f"/purchases/{purchase['id']}/refund", None, caller=customer)
    staff = gateway.post("wallet", f"/purchases/{purchase['id']}/refund", None, caller=desk.stage.owner)

    assert (customers.status, customers.body["code"]) == (404, "purchase_not_found")
    assert (staff.status, staff.body["status"], staff.body["refunded_cents"]) == (200, "refunded", 20000)
    (listed,) = gateway.get("refunds", "/refunds", caller=customer).body["items"]
    assert (listed["booking_id"], listed["purchase_id"], listed["amount_cents"]) == (None, purchase["id"], 20000)
