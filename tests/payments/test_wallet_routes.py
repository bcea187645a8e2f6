"""Routes of wallets, packages and promo codes."""

from uuid import UUID

import pytest

from tests.kit import gateway, routines
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    return CreditBookings(db)


def grant(desk, customer, caller=None, key="tap", **more):
    body = {
        "organization_id": str(desk.stage.organization_id),
        "customer_id": str(customer),
        "kind": "wallet",
        "amount": 5000,
        "currency": "CHF",
        **more,
    }
    return gateway.post("wallet", "/credits/grants", body, caller=caller or desk.stage.owner, key=key)


def wallet(desk, customer):
    query = {"organization_id": str(desk.stage.organization_id)}
    return gateway.get("wallet", "/wallet", caller=customer, query=query)


def test_wallet_lists_usable_credits_in_the_order_of_use(desk):
    customer = desk.customer()
    desk.give(customer, 2000)
    desk.give(customer, 1000, "5 days")
    desk.give_pass(customer, 10, "9 days", categories=["yoga"])
    gone = desk.give(customer, 700, "1 day")
    desk.set_expiry(gone, "-1 second")
    desk.give(desk.customer(), 9999)

    answer = wallet(desk, customer)

    assert answer.status == 200
    assert answer.body["balances"] == [{"currency": "CHF", "cents": 3000}]
    assert [(credit["kind"], credit["remaining"]) for credit in answer.body["credits"]] == [
        ("wallet", 1000),
        ("pass", 10),
        ("wallet", 2000),
    ]
    assert answer.body["credits"][-1]["expires_at"] is None


def test_staff_grant_credits_once_per_key(desk):
    customer = desk.customer()

    first, second = (grant(desk, customer) for _ in range(2))

    assert (first.status, first.body["amount"]) == (201, 5000)
    assert first.body == second.body
    assert wallet(desk, customer).body["balances"] == [{"currency": "CHF", "cents": 5000}]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"key": None}, 400, "idempotency_key_required"),
        ({"currency": None}, 422, "invalid_request"),
        ({"kind": "pass"}, 422, "invalid_request"),
        ({"amount": 0}, 422, "invalid_request"),
        ({"expires_at": "2000-01-01T00:00:00Z"}, 422, "invalid_request"),
        ({"customer_id": "0190a6d0-0000-7000-8000-000000000009"}, 404, "customer_not_found"),
    ],
)
def test_invalid_credit_grant_is_refused(desk, more, status, code):
    answer = grant(desk, desk.customer(), **more)

    assert (answer.status, answer.body["code"]) == (status, code)


def test_customers_cannot_grant_themselves_credits(desk):
    customer = desk.customer()

    assert grant(desk, customer, caller=customer).status == 403


def test_promo_code_of_staff_reduces_the_price_of_a_booking(desk):
    body = {
        "organization_id": str(desk.stage.organization_id),
        "code": "spring",
        "kind": "percent",
        "percent_bps": 2500,
        "uses_most": 1,
    }
    made = gateway.post("wallet", "/promo-codes", body, caller=desk.stage.owner)
    customer = desk.customer()
    desk.give(customer, PRICE)

    booked = gateway.post(
        "book",
        "/bookings",
        {"event_id": str(desk.event_id), "payment_method": "wallet", "promo_code": "Spring"},
        caller=customer,
        key="tap",
    )

    assert (made.status, made.body["code"]) == (201, "SPRING")
    assert (booked.status, booked.body["price_cents"]) == (201, 7500)
    query = {"organization_id": str(desk.stage.organization_id)}
    listed = gateway.get("wallet", "/promo-codes", caller=desk.stage.owner, query=query)
    assert [(code["code"], code["used"]) for code in listed.body["items"]] == [("SPRING", 1)]
    assert gateway.get("wallet", "/promo-codes", caller=customer, query=query).body["items"] == []


def test_package_is_listed_until_its_sale_ends(desk):
    body = {
        "organization_id": str(desk.stage.organization_id),
        "name": "Ten classes",
        "kind": "pass",
        "price_cents": 20000,
        "currency": "CHF",
        "amount": 10,
    }
    query = {"organization_id": str(desk.stage.organization_id)}

    made = gateway.post("wallet", "/packages", body, caller=desk.stage.owner)
    listed = gateway.get("wallet", "/packages", caller=desk.customer(), query=query)
    ended = gateway.post("wallet", f"/packages/{made.body['id']}/end", None, caller=desk.stage.owner)

    assert (made.status, ended.status, ended.body["active"]) == (201, 200, False)
    assert [package["id"] for package in listed.body["items"]] == [made.body["id"]]
    assert gateway.get("wallet", "/packages", caller=desk.customer(), query=query).body["items"] == []


def test_pending_purchase_is_shown_to_its_customer_only(desk):
    package = routines.call(
        desk.db,
        desk.stage.owner,
        "select payments.create_package(%s, 'Ten', 'pass', 20000, 'CHF', 10)",
        [desk.stage.organization_id],
    )
    customer = desk.customer()
    bought = routines.call(desk.db, customer, "select payments.buy_package(%s, 'card', 'tap')", [package["id"]])

    seen = gateway.get("wallet", f"/purchases/{bought['id']}", caller=customer)
    hidden = gateway.get("wallet", f"/purchases/{bought['id']}", caller=desk.customer())

    assert (seen.status, seen.body["status"], UUID(seen.body["payment"]["purchase_id"])) == (
        200,
        "pending",
        UUID(bought["id"]),
    )
    assert (hidden.status, hidden.body["code"]) == (404, "purchase_not_found")
