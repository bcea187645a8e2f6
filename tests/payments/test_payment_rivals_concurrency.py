"""Test that a payment routine that waited for a lock decides by the facts that a rival changed meanwhile.

tests/kit/rivals.py explains the three tries of a case.
"""

from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.kit import packages, rivals, routines
from tests.kit.money_figures import Till
from tests.kit.payments import DISPUTE, PRICE, CardBookings, dashboard_refund, paid
from tests.kit.rivals import Case, Scene, calls, runs
from tests.kit.wallets import CreditBookings

APPLY = calls("select payments.apply_payment(%(facts)s)", "service")
APPLY_OTHER = calls("select payments.apply_payment(%(other_facts)s)", "service")
CANCEL = calls("select events.cancel_booking(booking_id => %(booking_id)s)")
REFUND = calls(
    "select payments.refund_booking(booking_id => %(booking_id)s, amount_cents => 6000, idempotency_key => 'one')",
    "owner",
)
OTHER_REFUND = calls(
    "select payments.refund_booking(booking_id => %(booking_id)s, amount_cents => 6000, idempotency_key => 'two')",
    "owner",
)
REOPEN = calls("select payments.reopen_refund(refund_id => %(refund_id)s)", "owner")
REOPEN_TO_WALLET = calls("select payments.reopen_refund(refund_id => %(refund_id)s, destination => 'wallet')", "owner")
FORGIVE = calls("select payments.settle_debt(refund_id => %(refund_id)s, outcome => 'forgiven')", "owner")
DEBT_PAID = calls("select payments.settle_debt(refund_id => %(refund_id)s, outcome => 'paid')", "owner")
INVOICE_PAID = calls("select payments.record_invoice_payment(invoice_id => %(invoice_id)s)", "owner")
FEE_PAID = calls("select payments.record_fee_payment(fee_id => %(fee_id)s)", "owner")
FEE_WAIVED = calls("select payments.waive_fee(fee_id => %(fee_id)s)", "owner")
NO_SHOW = calls("select events.record_attendance(booking_id => %(soon_id)s, attended => false)", "owner")
REFUND_PURCHASE = calls("select payments.refund_purchase(purchase_id => %(purchase_id)s)", "owner")
REFUSE_INTENT = calls(
    """select payments.refuse_intent(intent_id => %(booking_id)s, error => '{"message": "no"}')""", "service"
)
WALLET = calls("select events.book(event_id => %(event_id)s, payment_method => 'wallet', idempotency_key => 'tap')")
PASS = calls("select events.book(event_id => %(event_id)s, payment_method => 'pass', idempotency_key => 'tap')")
OTHER_PASS = calls("select events.book(event_id => %(other_id)s, payment_method => 'pass', idempotency_key => 'other')")
OTHER_WALLET = calls(
    "select events.book(event_id => %(other_id)s, payment_method => 'wallet', idempotency_key => 'other')"
)
WITH_CODE = calls(
    "select events.book(event_id => %(event_id)s, payment_method => 'wallet', promo_code => 'HALF',"
    " idempotency_key => 'tap')"
)
BY_INVOICE = calls(
    "select events.book(event_id => %(other_id)s, payment_method => 'invoice', idempotency_key => 'tap')"
)
NO_INVOICES = runs(
    "update organizations.payout_settings set invoices_allowed = false where organization_id = %(organization_id)s"
    " and exists (select from events.inventory where event_id = %(other_id)s for no key update)"
)
OTHER_WITH_CODE = calls(
    "select events.book(event_id => %(other_id)s, payment_method => 'wallet', promo_code => 'HALF',"
    " idempotency_key => 'other')",
    "other",
)
EXPIRE = calls("select payments.expire_credits(at => now() + interval '400 days')", "service")
PAYMENTS = """
select jsonb_build_array(
    (
        select jsonb_agg(jsonb_build_array(i.status, i.amount_cents) order by i.id)
        from payments.intents as i where i.customer_id = %(customer)s
    ),
    (
        select jsonb_agg(to_jsonb(r) order by r.cause, r.amount_cents)
        from (
            select split_part(r.cause, ':', 1) as cause, r.amount_cents, r.status, r.destination
            from payments.refunds as r where r.customer_id = %(customer)s
        ) as r
    )
) as value
"""
LOTS = """
select jsonb_agg(to_jsonb(l) order by l.kind, l.source, l.amount, l.remaining) as value
from (
    select l.kind, l.source, l.amount, l.remaining from payments.credit_lots as l where l.customer_id = %(customer)s
) as l
"""
FEES = """
select jsonb_agg(jsonb_build_array(f.paid_from, f.paid_at is null, f.taken_back_at is null)) as value
from payments.fees as f where f.customer_id = %(customer)s
"""


def unpaid(db) -> Scene:
    """Return a booking by card that waits for its payment, and the payment's success at Stripe."""
    till = CardBookings(db)
    customer = till.stage.customer()
    booking = till.book(customer)
    more = {"booking_id": booking["id"], "facts": Jsonb(till.facts(booking))}
    return Scene(till.stage, till.event_id, customer, more)


def sold(db) -> Scene:
    """Return a booking that was paid by card, and a dispute about it at Stripe."""
    till = CardBookings(db)
    customer = till.stage.customer()
    booking = paid(till, customer)
    dispute = {**DISPUTE, "stripe_id": f"dp_{uuid4().hex}", "status": "needs_response"}
    more = {
        "booking_id": booking["id"],
        "facts": Jsonb(till.facts(booking, refunds=[dashboard_refund(booking["id"], 6000)])),
        "other_facts": Jsonb(till.facts(booking, disputes=[dispute])),
    }
    return Scene(till.stage, till.event_id, customer, more)


def undelivered(db) -> Scene:
    """Return a refund that Stripe could not deliver."""
    till = CardBookings(db)
    customer = till.stage.customer()
    till.cancel(paid(till, customer), customer)
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
    return Scene(till.stage, till.event_id, customer, {"refund_id": row["id"]})


def desk(db, credit: int = PRICE, **policy) -> Scene:
    """Return a customer with money in the wallet, and two events that cost 100.00."""
    made = CreditBookings(db, **policy)
    customer, other = made.customer(), made.customer()
    if credit:
        made.give(customer, credit)
    made.give(other, PRICE)
    more = {"other": other, "other_id": made.event(), "desk": made}
    return Scene(made.stage, made.event_id, customer, more)


def with_code(db) -> Scene:
    """Return `desk`, with a promo code that one booking can use."""
    scene = desk(db)
    query = (
        "select payments.create_promo_code(organization_id => %s, code => 'HALF', kind => 'percent',"
        " percent_bps => 5000, uses_most => 1)"
    )
    routines.call(db, scene.stage.owner, query, [scene.stage.organization_id])
    return scene


def with_pass(db) -> Scene:
    """Return `desk`, with a pass for one seat."""
    scene = desk(db, credit=0)
    scene.more["desk"].give_pass(scene.customer, 1)
    return scene


def begun(db, credit: int = 900) -> Scene:
    """Return `desk`, with a booking of an event that is about to start and money for its no-show fee."""
    scene = desk(db, credit)
    scene.more["soon_id"] = scene.more["desk"].book(
        scene.customer, None, event_id=scene.more["desk"].event(starts_in="10 minutes", price_cents=0)
    )["id"]
    cheap = scene.more["desk"].event(price_cents=900)
    return Scene(scene.stage, cheap, scene.customer, {**scene.more, "other_id": cheap})


def owing(db) -> Scene:
    """Return `begun`, with a no-show fee that the customer owes."""
    scene = begun(db, credit=0)
    NO_SHOW(db, scene)
    row = db.execute("select id from payments.fees where customer_id = %s", [scene.customer]).fetchone()
    scene.more["fee_id"] = row["id"]
    return scene


def invoiced(db) -> Scene:
    """Return `desk`, with a booking that is paid by invoice."""
    scene = desk(db)
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)"
        " on conflict (organization_id) do update set invoices_allowed = true",
        [scene.stage.organization_id],
    )
    scene.more["booking_id"] = scene.more["desk"].book(scene.customer, "invoice")["id"]
    row = db.execute("select id from payments.invoices where customer_id = %s", [scene.customer]).fetchone()
    scene.more["invoice_id"] = row["id"]
    return scene


def invoiced_late(db) -> Scene:
    """Return an unpaid invoice with a promo code that adds credits. A cancellation keeps the whole price."""
    till = Till(db, cancel_hours_before=2160, late_refund_percent=0)
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    booking = till.buy_with("invoice", promo_code="GIFT")
    row = db.execute("select id from payments.invoices where booking_id = %s", [booking["id"]]).fetchone()
    return Scene(till.stage, till.event_id, till.booker, {"booking_id": booking["id"], "invoice_id": row["id"]})


def packaged(db) -> Scene:
    """Return `desk`, with a paid package of wallet money."""
    scene = desk(db, credit=0)
    made = scene.more["desk"]
    purchase = packages.buy(made, scene.customer, packages.money(made, bonus=0))
    packages.apply_payment(made, purchase)
    scene.more["purchase_id"] = purchase["id"]
    return scene


CASES = {
    "payment: the booking is cancelled": Case("payments.apply_payment", APPLY, CANCEL, unpaid, look=PAYMENTS),
    "import: staff refund": Case("payments.apply_refunds", APPLY, REFUND, sold, look=PAYMENTS, lock="nothing"),
    "dispute: staff refund": Case("payments.apply_disputes", APPLY_OTHER, REFUND, sold, look=PAYMENTS, lock="nothing"),
    "refund: a dispute is opened": Case(
        "payments.refund_booking", REFUND, APPLY_OTHER, sold, look=PAYMENTS, lock="nothing"
    ),
    "refund: another refund": Case(
        "payments.refund_bookings", REFUND, OTHER_REFUND, sold, look=PAYMENTS, lock="nothing"
    ),
    "cancel: staff refund": Case("payments.reverse_sales", CANCEL, REFUND, sold, look=PAYMENTS, lock="nothing"),
    "reopen: it is reopened to the wallet": Case(
        "payments.reopen_refund", REOPEN, REOPEN_TO_WALLET, undelivered, look=PAYMENTS, lock="nothing"
    ),
    "debt: it is paid": Case("payments.settle_debt", FORGIVE, DEBT_PAID, in_debt, look=PAYMENTS, lock="nothing"),
    "invoice: it is credited": Case("payments.record_invoice_payment", INVOICE_PAID, CANCEL, invoiced, lock="nothing"),
    "invoice: the booking is cancelled late": Case(
        "payments.record_invoice_payment", INVOICE_PAID, CANCEL, invoiced_late, look=LOTS, lock="nothing"
    ),
    "fee payment: it is waived": Case(
        "payments.record_fee_payment", FEE_PAID, FEE_WAIVED, owing, look=FEES, lock="nothing"
    ),
    "fee waiver: it is paid": Case("payments.waive_fee", FEE_WAIVED, FEE_PAID, owing, look=FEES, lock="nothing"),
    "fee: the wallet is spent": Case("payments.charge_fee", NO_SHOW, OTHER_WALLET, begun, look=FEES, lock="nothing"),
    "wallet: a fee is charged": Case("payments.record_sale", WALLET, NO_SHOW, begun, look=LOTS, lock="nothing"),
    "wallet: the money is spent": Case("events.place_booking", WALLET, OTHER_WALLET, desk, look=LOTS, lock="nothing"),
    "pass: the seat is spent": Case("payments.use_passes", PASS, OTHER_PASS, with_pass, look=LOTS, lock="nothing"),
    "promo code: the last use": Case(
        "payments.use_promo_code", WITH_CODE, OTHER_WITH_CODE, with_code, look=LOTS, lock="nothing"
    ),
    "promo code: it is switched off": Case(
        "events.book", WITH_CODE, runs("update payments.promo_codes set active = false"), with_code, look=LOTS
    ),
    "invoice: the organization stops invoices": Case("events.book", BY_INVOICE, NO_INVOICES, invoiced),
    "package: its money is spent": Case(
        "payments.refund_purchase", REFUND_PURCHASE, OTHER_WALLET, packaged, look=LOTS, lock="nothing"
    ),
    "refusal by Stripe: the booking is cancelled": Case(
        "payments.refuse_intent", REFUSE_INTENT, CANCEL, unpaid, look=PAYMENTS, lock="payment"
    ),
    "erasure: the wallet is spent": Case(
        "payments.pay_out_credits",
        calls("select users.erase_profile(user_id => %(customer)s)"),
        OTHER_WALLET,
        desk,
        look=LOTS,
        lock="nothing",
    ),
    "erasure: money is granted": Case(
        "users.erase_profile",
        calls("select users.erase_profile(user_id => %(customer)s)"),
        calls(
            "select payments.grant_credits(organization_id => %(organization_id)s, customer_id => %(customer)s,"
            " kind => 'wallet', amount => 5, currency => 'CHF', idempotency_key => 'more')",
            "owner",
        ),
        desk,
        look=LOTS,
        lock="nothing",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_payment_routine_that_waited_decides_by_the_changed_facts(db, connect, name):
    found = rivals.try_case(connect, db, CASES[name])

    assert found["after"] != found["undisturbed"], "the rival's change must matter"
    assert found["waiting"] == found["after"]
