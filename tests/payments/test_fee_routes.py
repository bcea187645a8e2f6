"""Routes of no-show fees: access, marking as paid, waiving, and the postings."""

import pytest

from tests.kit import gateway, routines
from tests.kit.wallets import PRICE, CreditBookings

FEE, SHARE = 900, 45


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


def no_show_fee(desk, customer, method="wallet", money=PRICE):
    """Record a no-show and return its fee."""
    desk.give(customer, money)
    booking = desk.book(customer, method)
    desk.db.execute(
        "update events.events set starts_at = now() - interval '9 minutes', ends_at = now() + interval '1 h'"
    )
    record(desk, booking, attended=False)
    (fee,) = listed(customer).body["items"]
    return fee


def record(desk, booking, attended):
    query = "select events.record_attendance(booking_id => %s, attended => %s)"
    return routines.call(desk.db, desk.stage.owner, query, [booking["id"], attended])


def listed(caller, **query):
    return gateway.get("invoices", "/fees", caller=caller, query=query or None)


def paid(fee, caller):
    return gateway.post("invoices", f"/fees/{fee['id']}/paid", caller=caller)


def waived(fee, caller, **body):
    return gateway.post("invoices", f"/fees/{fee['id']}/waive", body, caller=caller)


def test_customers_see_their_fees_and_staff_see_their_organizations_fees(desk):
    customer = desk.customer()
    fee = no_show_fee(desk, customer)
    ours = {"organization_id": str(desk.stage.organization_id)}

    assert (fee["status"], fee["amount_cents"], fee["paid_from"]) == ("owed", FEE, "owed")
    assert listed(desk.stage.member("front_desk"), **ours, status="owed").body["items"] == [fee]
    assert listed(desk.stage.owner, **ours, status="paid").body["items"] == []
    assert listed(desk.customer(), **ours).body["items"] == []


def test_fee_paid_at_the_desk_is_posted_to_the_organizer_once(desk):
    fee = no_show_fee(desk, desk.customer())
    before = desk.balances()
    clerk = desk.stage.member("front_desk")

    first, again = paid(fee, clerk), paid(fee, clerk)

    assert (first.status, first.body["status"]) == (200, "paid")
    assert again.body == first.body
    after = desk.balances()
    assert before["user payable"] == FEE
    assert "user payable" not in after
    assert after["organization receivable"] - before["organization receivable"] == FEE
    assert after["platform revenue"] == before["platform revenue"]


def test_payment_of_another_amount_is_refused(desk):
    fee = no_show_fee(desk, desk.customer())
    clerk, path = desk.stage.member("front_desk"), f"/fees/{fee['id']}/paid"

    refused = gateway.post("invoices", path, {"total_cents": FEE - 1}, caller=clerk)

    assert (refused.status, refused.body["code"], refused.body["price_cents"]) == (409, "price_changed", FEE)
    assert gateway.post("invoices", path, {"total_cents": FEE}, caller=clerk).body["status"] == "paid"


def test_waived_fee_is_no_longer_owed_and_keeps_its_reason(desk):
    customer = desk.customer()
    fee = no_show_fee(desk, customer)

    answer = waived(fee, desk.stage.member("accountant"), reason="They were ill.")
    again = waived(fee, desk.stage.owner)

    assert (answer.body["status"], answer.body["reason"]) == ("taken_back", "They were ill.")
    assert again.body == answer.body
    assert desk.balances() == {"organization receivable": 500, "platform revenue": -500}
    assert desk.db.execute("select fee_cents from events.bookings").fetchone()["fee_cents"] == 0


def test_fee_paid_at_the_desk_and_then_waived_is_credited_to_the_wallet(desk):
    customer = desk.customer()
    fee = no_show_fee(desk, customer)
    paid(fee, desk.stage.owner)

    waived(fee, desk.stage.owner)

    assert desk.lots(customer) == [(PRICE, 0), (FEE, FEE)]
    assert desk.balances() == {
        "organization receivable": 500 + FEE,
        "platform revenue": -500,
        "user credits": -FEE,
    }


def test_waived_fee_paid_from_the_wallet_returns_to_its_lot(desk):
    customer = desk.customer()
    fee = no_show_fee(desk, customer, money=PRICE + FEE)

    assert paid(fee, desk.stage.owner).body["code"] == "nothing_to_pay"
    waived(fee, desk.stage.owner)

    assert desk.lots(customer) == [(PRICE + FEE, FEE)]


def test_waived_fee_cannot_be_paid(desk):
    fee = no_show_fee(desk, desk.customer())
    waived(fee, desk.stage.owner)

    refused = paid(fee, desk.stage.owner)

    assert (refused.status, refused.body["code"]) == (409, "nothing_to_pay")


def test_paid_fee_is_credited_when_attendance_is_corrected(desk):
    customer = desk.customer()
    fee = no_show_fee(desk, customer)
    paid(fee, desk.stage.owner)

    record(desk, {"id": fee["booking_id"]}, attended=True)

    assert desk.lots(customer) == [(PRICE, 0), (FEE, FEE)]


@pytest.mark.parametrize("role", ["customer", "viewer", "instructor", "editor"])
@pytest.mark.parametrize("deed", [paid, waived])
def test_other_roles_cannot_mark_a_fee_paid_or_waive_it(desk, role, deed):
    customer = desk.customer()
    fee = no_show_fee(desk, customer)

    refused = deed(fee, customer if role == "customer" else desk.stage.member(role))

    assert (refused.status, refused.body["code"]) == (404, "fee_not_found")
    assert desk.balances()["user payable"] == FEE
