"""Test that a payment routine refuses staff whose role ended while the routine waited for a lock.

tests/kit/rivals.py explains the three tries of a case. Here the rival takes one of the locks that the routine takes,
and ends the caller's membership. The lock of a till refuses with its own code.
"""

from collections.abc import Callable

import psycopg
import pytest

from tests.kit import packages, rivals, routines
from tests.kit.money_figures import Till
from tests.kit.payments import PRICE, CardBookings, dashboard_refund, paid
from tests.kit.rivals import Case, Scene, calls, runs
from tests.kit.wallets import CreditBookings

EVENT = "select from events.inventory where event_id = %(event_id)s for no key update"
SALE = "select from payments.sales where booking_id = %(booking_id)s for no key update"
PAYMENT = "select from payments.intents where id = %(payment_id)s for no key update"
REFUND = "select from payments.refunds where id = %(refund_id)s for no key update"
FEE = "select from payments.fees where id = %(fee_id)s for no key update"
WALLET = """
select payments.lock_wallets(
    array(select a.id from payments.accounts as a where a.owner_id = %(customer)s and a.type = 'credits')
)
"""
TILL = "select from payments.tills where organization_id = %(organization_id)s for no key update"
PERSON = rivals.LOCKS["person"]
PACKAGE = "select from payments.packages where id = %(package_id)s for no key update"
END = "delete from organizations.memberships where user_id = %(owner)s"
SEEN = """
select jsonb_build_array(
    (select count(*) from payments.entries as e inner join payments.accounts as a on a.id = e.account_id
     where a.owner_id = %(organization_id)s),
    (select jsonb_agg(jsonb_build_array(r.amount_cents, r.status, r.destination) order by r.amount_cents, r.cause)
     from payments.refunds as r where r.organization_id = %(organization_id)s),
    (select jsonb_agg(l.remaining order by l.remaining) from payments.credit_lots as l
     where l.organization_id = %(organization_id)s),
    (select jsonb_agg(p.active) from payments.packages as p where p.organization_id = %(organization_id)s),
    (select count(*) from payments.promo_codes as c where c.organization_id = %(organization_id)s),
    (select jsonb_agg(jsonb_build_array(m.kind, m.amount_cents) order by m.kind, m.amount_cents)
     from payments.till_movements as m where m.organization_id = %(organization_id)s),
    (select count(*) from payments.till_closings as c where c.organization_id = %(organization_id)s)
) as value
"""


def settings(db, scene):
    """Allow invoices at the organization of a scene."""
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [scene.stage.organization_id],
    )


def sold(db) -> Scene:
    """Return a booking that was paid by card, of a customer with money in the wallet."""
    desk = CreditBookings(db)
    customer = desk.customer()
    desk.give(customer, PRICE)
    booking = desk.book(customer, "wallet")
    return Scene(desk.stage, desk.event_id, customer, {"booking_id": booking["id"]})


def undelivered(db) -> Scene:
    """Return a refund that Stripe could not deliver, of a customer with a wallet."""
    till = CardBookings(db)
    customer = till.stage.customer()
    booking = paid(till, customer)
    CreditBookings.give(till, customer, 1)
    till.cancel(booking, customer)
    till.send_refunds("failed", "The card is closed.")
    row = db.execute("select id from payments.refunds where customer_id = %s", [customer]).fetchone()
    return Scene(till.stage, till.event_id, customer, {"refund_id": row["id"]})


def in_debt(db) -> Scene:
    """Return an excess refund made at Stripe, after staff refunded the booking to the wallet and it was spent."""
    till = CardBookings(db)
    customer = till.stage.customer()
    booking = paid(till, customer)
    query = (
        "select payments.refund_booking(booking_id => %s, amount_cents => %s, destination => 'wallet',"
        " idempotency_key => 'all')"
    )
    routines.call(db, till.stage.owner, query, [booking["id"], PRICE])
    till.event_id = till.event(capacity=5)
    till.book(customer, "wallet", key="spent")
    till.apply_payment(booking, refunds=[dashboard_refund(booking["id"], PRICE)])
    row = db.execute("select id from payments.refunds where customer_id = %s and beyond", [customer]).fetchone()
    return Scene(till.stage, till.event_id, customer, {"refund_id": row["id"], "payment_id": booking["id"]})


def missed(db, credit: int) -> Scene:
    """Return a fee for a missed event, paid from the wallet if it has the money."""
    desk = CreditBookings(db)
    customer = desk.customer()
    if credit:
        desk.give(customer, credit)
    event_id = desk.event(starts_in="10 minutes", price_cents=0)
    booking = desk.book(customer, None, event_id=event_id)
    query = "select events.record_attendance(booking_id => %s, attended => false)"
    routines.call(db, desk.stage.owner, query, [booking["id"]])
    row = db.execute("select id from payments.fees where customer_id = %s", [customer]).fetchone()
    return Scene(desk.stage, event_id, customer, {"fee_id": row["id"], "booking_id": booking["id"]})


def owing(db) -> Scene:
    """Return a fee that the customer owes."""
    return missed(db, 0)


def charged(db) -> Scene:
    """Return a fee that the wallet paid."""
    return missed(db, PRICE)


def invoiced(db) -> Scene:
    """Return an unpaid invoice with a promo code that adds credits, of a customer with a wallet."""
    desk = CreditBookings(db)
    customer = desk.customer()
    desk.give(customer, 1)
    scene = Scene(desk.stage, desk.event_id, customer)
    settings(db, scene)
    query = (
        "select payments.create_promo_code(organization_id => %s, code => 'GIFT', kind => 'credits',"
        " amount_cents => 2000, currency => 'CHF')"
    )
    routines.call(db, desk.stage.owner, query, [desk.stage.organization_id])
    booking = desk.book(customer, "invoice", promo_code="GIFT")
    row = db.execute("select id from payments.invoices where customer_id = %s", [customer]).fetchone()
    return Scene(desk.stage, desk.event_id, customer, {"invoice_id": row["id"], "booking_id": booking["id"]})


def packaged(db) -> Scene:
    """Return a paid package of wallet money."""
    desk = CreditBookings(db)
    customer = desk.customer()
    package = packages.money(desk, bonus=0)
    purchase = packages.buy(desk, customer, package)
    packages.apply_payment(desk, purchase)
    more = {"purchase_id": purchase["id"], "payment_id": purchase["id"], "package_id": package["id"]}
    return Scene(desk.stage, desk.event_id, customer, more)


def granting(db) -> Scene:
    """Return a customer with money in the wallet."""
    desk = CreditBookings(db)
    customer = desk.customer()
    desk.give(customer, 1)
    return Scene(desk.stage, desk.event_id, customer)


def with_till(prepare: Callable[[rivals.Connection], Scene]) -> Callable[[rivals.Connection], Scene]:
    """Return the scene of `prepare`, where the organization has a till."""

    def prepared(db: rivals.Connection) -> Scene:
        scene = prepare(db)
        query = "select payments.open_till(organization_id => %(organization_id)s)"
        routines.call(db, scene.stage.owner, query, scene.names())
        return scene

    return prepared


def owed(db) -> Scene:
    """Return a refund of cash that waits at the desk."""
    till = Till(db, capacity=None, cancel_hours_before=0)
    booking = till.take("cash", guest=False)
    till.call("select events.cancel_booking(%s)", booking["id"])
    row = db.execute("select id from payments.refunds where customer_id = %s", [till.booker]).fetchone()
    return Scene(till.stage, till.event_id, till.booker, {"refund_id": row["id"]})


def with_partner(prepare: Callable[[rivals.Connection], Scene]) -> Callable[[rivals.Connection], Scene]:
    """Return the scene of `prepare`, where the organization has a second owner, so that the first one can go."""

    def prepared(db: rivals.Connection) -> Scene:
        scene = prepare(db)
        scene.stage.member("owner")
        return scene

    return prepared


def dismissed(lock: rivals.Change) -> rivals.Change:
    """Return a change that takes a lock and ends the caller's membership."""

    def change(connection: psycopg.Connection, scene: Scene) -> None:
        lock(connection, scene)
        connection.execute("reset role")
        connection.execute(END, scene.names())

    return change


PART = calls(
    "select payments.refund_booking(booking_id => %(booking_id)s, amount_cents => 100, idempotency_key => 'tap')",
    "owner",
)
REOPEN = calls("select payments.reopen_refund(refund_id => %(refund_id)s, destination => 'wallet')", "owner")
FORGIVE = calls("select payments.settle_debt(refund_id => %(refund_id)s, outcome => 'forgiven')", "owner")
INVOICE_PAID = calls("select payments.record_invoice_payment(invoice_id => %(invoice_id)s)", "owner")
FEE_PAID = calls("select payments.record_fee_payment(fee_id => %(fee_id)s)", "owner")
WAIVE = calls("select payments.waive_fee(fee_id => %(fee_id)s)", "owner")
REFUND_PURCHASE = calls("select payments.refund_purchase(purchase_id => %(purchase_id)s)", "owner")
END_PACKAGE = calls("select payments.end_package(package_id => %(package_id)s)", "owner")
GRANT = calls(
    "select payments.grant_credits(organization_id => %(organization_id)s, customer_id => %(customer)s,"
    " kind => 'wallet', amount => 5, currency => 'CHF', idempotency_key => 'tap')",
    "owner",
)
CREATE_CODE = calls(
    "select payments.create_promo_code(organization_id => %(organization_id)s, code => 'HALF', kind => 'percent',"
    " percent_bps => 5000, uses_most_per_customer => 1)",
    "owner",
)
PAY_FEE = calls(
    "select payments.pay_fee_at_desk(fee_id => %(fee_id)s, method => 'cash', idempotency_key => 'tap')", "owner"
)
PAY_INVOICE = calls(
    "select payments.pay_invoice_at_desk(invoice_id => %(invoice_id)s, method => 'cash', idempotency_key => 'tap')",
    "owner",
)
PAY_OUT = calls("select payments.pay_out_refund(refund_id => %(refund_id)s, idempotency_key => 'tap')", "owner")
SELL = calls(
    "select payments.sell_package(package_id => %(package_id)s, customer_id => %(customer)s, method => 'cash',"
    " idempotency_key => 'tap')",
    "owner",
)
TRANSFER = calls("select payments.transfer_cash(%(organization_id)s, 100, 'tap', 'Change.')", "owner")
OPEN = calls("select payments.open_till(organization_id => %(organization_id)s)", "owner")
CLOSE = calls("select payments.close_till(organization_id => %(organization_id)s, counted_cents => 0)", "owner")


def case(routine: Case, lock: str | None = None) -> Case:
    """Return a case with the rival that takes this lock, or sends the same request."""
    rival = dismissed(runs(lock) if lock else routine.act)
    return Case(routine.routine, routine.act, rival, with_partner(routine.prepare), lock="nothing", look=SEEN)


NOBODY = runs(END)
REFUND_BOOKING = Case("payments.refund_booking", PART, NOBODY, sold)
REOPEN_REFUND = Case("payments.reopen_refund", REOPEN, NOBODY, undelivered)
SETTLE_DEBT = Case("payments.settle_debt", FORGIVE, NOBODY, in_debt)
RECORD_INVOICE = Case("payments.record_invoice_payment", INVOICE_PAID, NOBODY, invoiced)
RECORD_FEE = Case("payments.record_fee_payment", FEE_PAID, NOBODY, owing)
WAIVE_FEE = Case("payments.waive_fee", WAIVE, NOBODY, charged)
RETURN_PACKAGE = Case("payments.refund_purchase", REFUND_PURCHASE, NOBODY, packaged)
STOP_PACKAGE = Case("payments.end_package", END_PACKAGE, NOBODY, packaged)
GRANT_CREDITS = Case("payments.grant_credits", GRANT, NOBODY, granting)
NEW_CODE = Case("payments.create_promo_code", CREATE_CODE, NOBODY, granting)
DESK_FEE = Case("payments.pay_fee_at_desk", PAY_FEE, NOBODY, with_till(owing))
DESK_INVOICE = Case("payments.pay_invoice_at_desk", PAY_INVOICE, NOBODY, with_till(invoiced))
PAYOUT = Case("payments.pay_out_refund", PAY_OUT, NOBODY, owed)
DESK_PACKAGE = Case("payments.sell_package", SELL, NOBODY, with_till(packaged))
TRANSFER_CASH = Case("payments.transfer_cash", TRANSFER, NOBODY, with_till(granting))
OPEN_TILL = Case("payments.open_till", OPEN, NOBODY, granting)
CLOSE_TILL = Case("payments.close_till", CLOSE, NOBODY, with_till(granting))
CASES = {
    "refund, key": case(REFUND_BOOKING),
    "refund, event": case(REFUND_BOOKING, EVENT),
    "refund, sale": case(REFUND_BOOKING, SALE),
    "refund, wallet": case(REFUND_BOOKING, WALLET),
    "reopening, refund": case(REOPEN_REFUND, REFUND),
    "reopening, wallet": case(REOPEN_REFUND, WALLET),
    "debt, payment": case(SETTLE_DEBT, PAYMENT),
    "debt, wallet": case(SETTLE_DEBT, WALLET),
    "debt, refund": case(SETTLE_DEBT, REFUND),
    "invoice, event": case(RECORD_INVOICE, EVENT),
    "invoice, sale": case(RECORD_INVOICE, SALE),
    "invoice, wallet": case(RECORD_INVOICE, WALLET),
    "fee, event": case(RECORD_FEE, EVENT),
    "fee, fee": case(RECORD_FEE, FEE),
    "waiver, event": case(WAIVE_FEE, EVENT),
    "waiver, fee": case(WAIVE_FEE, FEE),
    "waiver, wallet": case(WAIVE_FEE, WALLET),
    "package, payment": case(RETURN_PACKAGE, PAYMENT),
    "package, wallet": case(RETURN_PACKAGE, WALLET),
    "end of sale, package": case(STOP_PACKAGE, PACKAGE),
    "credits, key": case(GRANT_CREDITS),
    "credits, wallet": case(GRANT_CREDITS, WALLET),
    "promo code, code": case(NEW_CODE),
    "fee at desk, key": case(DESK_FEE),
    "fee at desk, event": case(DESK_FEE, EVENT),
    "fee at desk, fee": case(DESK_FEE, FEE),
    "fee at desk, till": case(DESK_FEE, TILL),
    "invoice at desk, key": case(DESK_INVOICE),
    "invoice at desk, event": case(DESK_INVOICE, EVENT),
    "invoice at desk, sale": case(DESK_INVOICE, SALE),
    "invoice at desk, wallet": case(DESK_INVOICE, WALLET),
    "invoice at desk, till": case(DESK_INVOICE, TILL),
    "payout, key": case(PAYOUT),
    "payout, refund": case(PAYOUT, REFUND),
    "payout, till": case(PAYOUT, TILL),
    "package at desk, key": case(DESK_PACKAGE),
    "package at desk, customer": case(DESK_PACKAGE, PERSON),
    "package at desk, wallet": case(DESK_PACKAGE, WALLET),
    "package at desk, till": case(DESK_PACKAGE, TILL),
    "transfer, key": case(TRANSFER_CASH),
    "transfer, till": case(TRANSFER_CASH, TILL),
    "opening, same till": case(OPEN_TILL),
    "closing, same closing": case(CLOSE_TILL),
    "closing, till": case(CLOSE_TILL, TILL),
}

CODES = dict.fromkeys(
    [
        "fee at desk, till",
        "invoice at desk, sale",
        "invoice at desk, wallet",
        "invoice at desk, till",
        "payout, till",
        "package at desk, wallet",
        "package at desk, till",
    ],
    "forbidden",
)
"""The refusals of the routines that check the caller again with the lock of the till, which comes last."""


@pytest.mark.parametrize("name", CASES)
def test_payment_routine_refuses_staff_who_were_dismissed_while_it_waited(db, connect, name):
    found = rivals.try_case(connect, db, CASES[name])

    assert found["undisturbed"]["result"] == "done"
    assert found["after"]["result"] == "forbidden" or found["after"]["result"].endswith("_not_found")
    assert found["waiting"]["result"] == CODES.get(name, found["after"]["result"])
    assert found["waiting"]["value"] == found["after"]["value"]
