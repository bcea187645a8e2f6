"""Test that a routine of the desk that waited for a lock decides by the facts that a rival changed meanwhile.

tests/kit/rivals.py explains the three tries of a case.
"""

from uuid import uuid4

import pytest

from tests.kit import packages, rivals, routines
from tests.kit.money_figures import Till
from tests.kit.rivals import Case, Scene, calls, runs
from tests.kit.wallets import PRICE

SELL = calls(
    "select events.book(event_id => %(event_id)s, customer_id => %(other)s, payment_method => 'cash',"
    " guest => true, idempotency_key => 'rival')",
    "owner",
)
CLOSE = calls("select payments.close_till(organization_id => %(organization_id)s, counted_cents => 20000)", "owner")
TAKE_OUT = calls(
    f"select payments.transfer_cash(%(organization_id)s, {-PRICE}, 'act', 'To the bank.')",
    "owner",
)
RIVAL_TAKES_OUT = calls(
    f"select payments.transfer_cash(%(organization_id)s, {-PRICE}, 'rival', 'To the bank.')",
    "owner",
)
PAY_OUT = calls("select payments.pay_out_refund(refund_id => %(refund_id)s, idempotency_key => 'act')", "owner")
PAY_FEE = calls(
    "select payments.pay_fee_at_desk(fee_id => %(fee_id)s, method => 'cash', idempotency_key => 'act')", "owner"
)
FEE_WAIVED = calls("select payments.waive_fee(fee_id => %(fee_id)s)", "owner")
PAY_INVOICE = calls(
    "select payments.pay_invoice_at_desk(invoice_id => %(invoice_id)s, method => 'cash', idempotency_key => 'act')",
    "owner",
)
CANCEL = calls("select events.cancel_booking(booking_id => %(booking_id)s)", "owner")
SELL_PACKAGE = calls(
    "select payments.sell_package(package_id => %(package_id)s, customer_id => %(customer)s, method => 'cash',"
    " idempotency_key => 'act')",
    "owner",
)
MARK = calls(
    "select events.mark_attendance(event_id => %(event_id)s, marks => jsonb_build_array(jsonb_build_object("
    "'key', 'door', 'booking_id', %(booking_id)s, 'attended', false, 'at', now())))",
    "owner",
)
MONEY = """
select jsonb_build_array(
    (
        select jsonb_agg(jsonb_build_array(c.cash_taken_cents, c.expected_cents, c.difference_cents))
        from payments.till_closings as c where c.organization_id = %(organization_id)s
    ),
    (
        select jsonb_agg(jsonb_build_array(m.kind, m.amount_cents) order by m.kind, m.amount_cents)
        from payments.till_movements as m where m.organization_id = %(organization_id)s
    ),
    (select jsonb_agg(f.taken_back_at is null) from payments.fees as f where f.customer_id = %(customer)s)
) as value
"""


def desk(db) -> Scene:
    """Return a till with the price of one booking, and another customer."""
    till = Till(db, capacity=None, cancel_hours_before=0)
    booking = till.take("cash", guest=False)
    more = {"till": till, "other": till.stage.customer(), "booking_id": booking["id"]}
    return Scene(till.stage, till.event_id, till.booker, more)


def owed(db) -> Scene:
    """Return `desk`, whose only cash is owed to a customer who cancelled."""
    scene = desk(db)
    routines.call(db, scene.stage.owner, "select events.cancel_booking(%s)", [scene.more["booking_id"]])
    row = db.execute("select id from payments.refunds where customer_id = %s", [scene.customer]).fetchone()
    scene.more["refund_id"] = row["id"]
    return scene


def missed(db) -> Scene:
    """Return `desk`, with a fee of the customer who did not come."""
    scene = desk(db)
    scene.more["till"].miss({"id": scene.more["booking_id"]})
    scene.more["fee_id"] = scene.more["till"].fee_id()
    return scene


def invoiced(db) -> Scene:
    """Return `desk`, with an open invoice of the customer."""
    scene = desk(db)
    scene.more["booking_id"] = scene.more["till"].buy_with("invoice", guest=True)["id"]
    query = "select id from payments.invoices where booking_id = %s"
    scene.more["invoice_id"] = db.execute(query, [scene.more["booking_id"]]).fetchone()["id"]
    return scene


def offered(db) -> Scene:
    """Return `desk`, with a package for sale."""
    scene = desk(db)
    scene.more["package_id"] = packages.offer(scene.more["till"], name=uuid4().hex)["id"]
    return scene


def started(db) -> Scene:
    """Return `desk`, whose event has just started."""
    scene = desk(db)
    db.execute(
        "update events.events set starts_at = now() - interval '9 minutes', ends_at = now() + interval '1 h'"
        " where id = %s",
        [scene.event_id],
    )
    return scene


CASES = {
    "closing: money is taken": Case("payments.close_till", CLOSE, SELL, desk, look=MONEY, lock="nothing"),
    "transfer: the cash is taken out": Case(
        "payments.transfer_cash", TAKE_OUT, RIVAL_TAKES_OUT, desk, look=MONEY, lock="nothing"
    ),
    "payout: the cash is taken out": Case(
        "payments.pay_out_refund", PAY_OUT, RIVAL_TAKES_OUT, owed, look=MONEY, lock="nothing"
    ),
    "fee: it is waived": Case("payments.pay_fee_at_desk", PAY_FEE, FEE_WAIVED, missed, look=MONEY, lock="nothing"),
    "invoice: it is credited": Case(
        "payments.pay_invoice_at_desk", PAY_INVOICE, CANCEL, invoiced, look=MONEY, lock="nothing"
    ),
    "package: its sale ends": Case(
        "payments.sell_package",
        SELL_PACKAGE,
        runs("update payments.packages set active = false where id = %(package_id)s"),
        offered,
        look=MONEY,
        lock="person",
    ),
    "mark: the booking is cancelled": Case("events.mark_attendance", MARK, CANCEL, started, look=MONEY, lock="nothing"),
}


@pytest.mark.parametrize("name", CASES)
def test_routine_of_the_desk_that_waited_decides_by_the_changed_facts(db, connect, name):
    found = rivals.try_case(connect, db, CASES[name])

    assert found["after"] != found["undisturbed"], "the rival's change must matter"
    assert found["waiting"] == found["after"]
