"""A card payment that succeeds after another method has paid the booking: its returns leave the sale as it is."""

import pytest

from tests.kit import routines
from tests.kit.money_figures import Till
from tests.kit.payments import DISPUTE, PRICE, dashboard_refund

LOST = {**DISPUTE, "status": "lost"}


def refund_at_stripe(till, booking):
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])


def two_refunds_at_stripe(till, booking):
    refunds = [dashboard_refund(1, 4000), dashboard_refund(2, PRICE - 4000)]
    till.apply_payment(booking, refunds=refunds[:1])
    till.apply_payment(booking, refunds=refunds)


def lost_dispute(till, booking):
    till.apply_payment(booking, disputes=[LOST])


def lost_dispute_after_the_refund(till, booking):
    (sent,) = till.send_refunds()
    done = {**dashboard_refund(sent["refund_id"], PRICE), "refund_id": str(sent["refund_id"])}
    till.apply_payment(booking, refunds=[done], disputes=[LOST])


@pytest.mark.parametrize("method", ["wallet", "pass", "invoice"])
@pytest.mark.parametrize(
    ("give_back", "debt"),
    [
        (refund_at_stripe, 0),
        (two_refunds_at_stripe, 0),
        (lost_dispute, 0),
        (lost_dispute_after_the_refund, PRICE),
    ],
)
def test_return_of_a_late_payment_leaves_the_sale_of_another_method(db, method, give_back, debt):
    till = Till(db)
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    till.give(till.booker, PRICE)
    till.give_pass(till.booker, 1)
    booking = till.buy_with("card", promo_code=None if method == "pass" else "GIFT")
    change = "select events.change_payment_method(booking_id => %s, payment_method => %s)"
    routines.call(db, till.booker, change, [booking["id"], method])
    till.apply_payment(booking)

    give_back(till, booking)

    assert till.status(booking) == "confirmed"
    sales = db.execute("select amount_cents, refunded_cents from payments.sales").fetchall()
    paid_by_pass = method == "pass"
    assert [tuple(sale.values()) for sale in sales] == ([] if paid_by_pass else [(PRICE, 0)])
    granted = db.execute("select remaining from payments.credit_lots where booking_id is not null").fetchall()
    # An invoice grants the credits of its code when it is paid.
    assert [lot["remaining"] for lot in granted] == ([2000] if method == "wallet" else [])
    assert db.execute("select payments.owed_cents(%s) as owed", [booking["id"]]).fetchone()["owed"] == debt
    assert till.findings() == []
    if not paid_by_pass and not debt:
        till.cancel(booking, till.booker)
        assert till.balances().get("user cash", 0) == 0
        assert till.findings() == []
