"""Routes of refunds: access, amounts, retries, progress, and debts of excess refunds."""

from uuid import uuid4

import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, money_invariants, routines
from tests.kit.payments import PRICE, CardBookings, dashboard_refund


@pytest.fixture
def till(db):
    return CardBookings(db)


def paid(till):
    booking = till.book(customer := till.stage.customer())
    till.apply_payment(booking)
    return customer, booking


def refund(booking, caller, body=None, key="tap"):
    return gateway.post("refunds", f"/bookings/{booking['id']}/refunds", body or {}, caller=caller, key=key)


def test_staff_refund_a_part_once(till):
    _, booking = paid(till)

    first, second = (refund(booking, till.stage.owner, {"amount_cents": 3000}) for _ in range(2))

    assert (first.status, first.body["amount_cents"], first.body["status"]) == (201, 3000, "created")
    assert first.body == second.body
    assert [row["amount_cents"] for row in till.send_refunds()] == [3000]
    assert till.balances()["organization receivable"] == -6650
    assert till.status(booking) == "confirmed"


def test_refund_without_an_amount_is_the_remaining_amount(till):
    _, booking = paid(till)
    refund(booking, till.stage.owner, {"amount_cents": 3000})

    assert refund(booking, till.stage.owner, key="rest").body["amount_cents"] == 7000
    assert refund(booking, till.stage.owner, key="more").body["code"] == "nothing_to_refund"


def test_cancellation_refunds_only_the_remaining_amount(till):
    customer, booking = paid(till)
    refund(booking, till.stage.owner, {"amount_cents": 3000})

    till.cancel(booking, customer)

    assert sorted(row["amount_cents"] for row in till.send_refunds()) == [3000, 7000]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_wallet_refund_succeeds_at_once(till):
    customer, booking = paid(till)

    answer = refund(booking, till.stage.owner, {"destination": "wallet"})

    assert (answer.body["status"], answer.body["destination"]) == ("succeeded", "wallet")
    assert till.balances()["user credits"] == -PRICE
    mine = gateway.get("refunds", "/refunds", caller=customer).body["items"]
    assert [(item["id"], item["status"]) for item in mine] == [(answer.body["id"], "succeeded")]


@pytest.mark.parametrize(
    ("body", "key", "status", "code"),
    [
        ({"amount_cents": PRICE + 1}, "tap", 409, "refund_exceeds_payment"),
        ({"amount_cents": 0}, "tap", 422, "invalid_request"),
        ({"amount_cents": "5"}, "tap", 422, "invalid_request"),
        ({"destination": "cash"}, "tap", 422, "invalid_request"),
        ({"amount_cents": 100}, None, 400, "idempotency_key_required"),
    ],
)
def test_invalid_refund_is_refused(till, body, key, status, code):
    _, booking = paid(till)

    answer = refund(booking, till.stage.owner, body, key)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert till.claim("refunds") == []


def test_same_key_with_another_amount_is_refused(till):
    _, booking = paid(till)
    refund(booking, till.stage.owner, {"amount_cents": 100})

    assert refund(booking, till.stage.owner, {"amount_cents": 200}).body["code"] == "idempotency_conflict"


@pytest.mark.parametrize("who", ["customer", "viewer", "instructor", "stranger"])
def test_other_callers_cannot_refund_a_booking(till, who):
    customer, booking = paid(till)
    caller = {"customer": customer, "stranger": till.stage.customer()}.get(who) or till.stage.member(who)

    assert refund(booking, caller).body["code"] == "booking_not_found"


def test_refunds_of_a_cancelled_event_show_their_progress(till):
    bookings = [paid(till)[1] for _ in range(3)]
    gateway.post("manage-events", f"/events/{till.event_id}/cancel", {}, caller=till.stage.owner)
    path = f"/events/{till.event_id}/refunds"

    before = gateway.get("refunds", path, caller=till.stage.owner).body
    till.send_refunds()
    after = gateway.get("refunds", path, caller=till.stage.owner).body

    assert (before["refunds"], before["waiting"], before["done"]) == (len(bookings), 3, False)
    assert (after["settled"], after["settled_cents"], after["done"]) == (3, 3 * PRICE, True)
    assert gateway.get("refunds", path, caller=till.stage.customer()).status == 404


def test_failed_refund_can_be_reopened_to_the_wallet(till):
    _, booking = paid(till)
    refund(booking, till.stage.owner)
    (sent,) = till.send_refunds("failed", "lost_or_stolen_card")
    path = f"/refunds/{sent['refund_id']}/reopen"

    answer = gateway.post("refunds", path, {"destination": "wallet"}, caller=till.stage.owner)

    assert (answer.body["status"], answer.body["destination"]) == ("succeeded", "wallet")
    assert till.balances()["user credits"] == -PRICE
    assert gateway.post("refunds", path, caller=till.stage.customer()).status == 404


def excess_refund(till):
    """Refund the price to the wallet, where it is spent, and at Stripe. Return customer, booking and excess refund."""
    customer, booking = paid(till)
    refund(booking, till.stage.owner, {"destination": "wallet"})
    query = "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => 'spend')"
    routines.call(till.db, customer, query, [till.event()])
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    (beyond,) = [row for row in listed(till) if row["beyond"]]
    return customer, booking, beyond


def listed(till):
    return gateway.get("refunds", "/refunds", caller=till.stage.owner).body["items"]


def settle(refund, caller, outcome="paid", **more):
    return gateway.post("refunds", f"/refunds/{refund['id']}/settle", {"outcome": outcome, **more}, caller=caller)


@pytest.mark.parametrize("outcome", ["paid", "forgiven"])
def test_paid_or_written_off_debt_is_posted_once_to_the_organizer(till, outcome):
    _, _, beyond = excess_refund(till)
    before = till.balances()

    first = settle(beyond, till.stage.member("accountant"), outcome, reason="They came by.")
    again = settle(beyond, till.stage.owner, outcome)

    assert (beyond["debt"], before["user cash"]) == ("owed", PRICE)
    assert (first.status, first.body["debt"]) == (200, outcome)
    assert again.body == first.body
    assert till.balances() == {
        **{k: v for k, v in before.items() if k != "user cash"},
        "organization receivable": before["organization receivable"] + PRICE,
    }
    assert [row["debt"] for row in listed(till)] == [outcome, None]
    row = till.db.execute("select debt_reason, debt_settled_by is null as lost from payments.refunds where beyond")
    assert row.fetchone() == {"debt_reason": "They came by.", "lost": False}
    assert money_invariants.findings(till.db) == []


def test_debt_written_off_by_the_platform_is_its_expense(till):
    _, _, beyond = excess_refund(till)
    before = till.balances()

    settle(beyond, Caller(uuid4(), "service_role"), "forgiven")

    after = till.balances()
    assert after["platform revenue"] - before["platform revenue"] == PRICE
    assert after["organization receivable"] == before["organization receivable"]
    assert money_invariants.findings(till.db) == []


def test_settled_debt_cannot_be_settled_differently(till):
    _, _, beyond = excess_refund(till)
    settle(beyond, till.stage.owner, "forgiven")

    refused = settle(beyond, till.stage.owner, "paid")

    assert (refused.status, refused.body["code"]) == (409, "nothing_to_pay")


def test_ordinary_refund_has_no_debt_to_settle(till):
    _, booking = paid(till)
    made = refund(booking, till.stage.owner).body

    refused = settle(made, till.stage.owner)

    assert made["debt"] is None
    assert (refused.status, refused.body["code"]) == (409, "nothing_to_pay")


@pytest.mark.parametrize("role", ["customer", "viewer", "instructor", "editor", "front_desk"])
def test_other_roles_cannot_settle_debts(till, role):
    customer, _, beyond = excess_refund(till)

    refused = settle(beyond, customer if role == "customer" else till.stage.member(role))

    assert (refused.status, refused.body["code"]) == (404, "refund_not_found")
    assert till.balances()["user cash"] == PRICE


@pytest.mark.parametrize(("outcome", "wallet"), [("paid", PRICE), ("forgiven", 0)])
def test_failed_excess_refund_ends_its_debt_and_credits_a_repayment(till, outcome, wallet):
    _, booking, beyond = excess_refund(till)
    before = till.balances()
    settle(beyond, till.stage.owner, outcome)

    for _time in range(2):
        till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE, "failed")])

    balances = till.balances()
    assert "user cash" not in balances
    assert balances.get("user credits", 0) == -wallet
    assert balances["organization receivable"] == before["organization receivable"] + wallet
    assert listed(till)[0]["debt"] is None
    assert settle(beyond, till.stage.owner, outcome).body["code"] == "nothing_to_pay"
    assert money_invariants.findings(till.db) == []
