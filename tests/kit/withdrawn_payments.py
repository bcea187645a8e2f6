"""Create payments that bought credits or granted them, and end them by refunds and disputes."""

from tests.kit import routines
from tests.kit.packages import apply_payment, buy, money, offer
from tests.kit.payments import DISPUTE
from tests.kit.wallets import PRICE

PAID = 10000
BONUS = 2000


def bought(desk, customer=None, **terms):
    """Buy 100.00 of wallet money with a bonus of 20.00, for 100.00. Returns the customer and the purchase."""
    customer = customer or desk.customer()
    purchase = buy(desk, customer, money(desk, **{"price_cents": PAID, **terms}), key=f"money of {customer}")
    apply_payment(desk, purchase)
    return customer, purchase


def bought_pass(desk, customer=None, **terms):
    """Buy a pass for ten classes, for 200.00. Returns the customer and the purchase."""
    customer = customer or desk.customer()
    purchase = buy(desk, customer, offer(desk, **terms), key=f"pass of {customer}")
    apply_payment(desk, purchase)
    return customer, purchase


def spend(desk, customer, cents):
    """Book an event at a price with the wallet."""
    return desk.book(customer, "wallet", event_id=desk.event(price_cents=cents))


def dispute(desk, purchase, status, cents=None):
    """Report a dispute of a purchase, of its whole price by default."""
    made = {**DISPUTE, "amount_cents": cents or purchase["price_cents"], "status": status}
    return apply_payment(desk, purchase, disputes=[made])


def promotion(desk, cents=BONUS, **terms):
    """Create the code BONUS, which grants 20.00 once its booking is paid."""
    arguments = {
        "organization_id": desk.stage.organization_id,
        "code": "BONUS",
        "kind": "credits",
        "amount_cents": cents,
        "currency": "CHF",
        **terms,
    }
    named = ", ".join(f"{name} => %({name})s" for name in arguments)
    return routines.call(desk.db, desk.stage.owner, f"select payments.create_promo_code({named})", arguments)


def pay(desk, booking, **more):
    """Report the payment of a booking by card."""
    return apply_payment(desk, {"id": booking["id"], "price_cents": booking["price_cents"]}, **more)


def pay_invoice(desk, booking):
    """Record that the invoice of a booking is paid."""
    query = (
        "select payments.record_invoice_payment(id) from payments.invoices where booking_id = %s and kind = 'invoice'"
    )
    return routines.call(desk.db, desk.stage.owner, query, [booking["id"]])


def promoted(desk, method="card", **more):
    """Pay for a booking that grants 20.00 of wallet money. Returns the customer and the booking."""
    customer = desk.customer()
    if method == "wallet":
        desk.give(customer, PRICE)
    elif method == "invoice":
        desk.allow_invoices()
    booking = desk.book(customer, method, promo_code="BONUS", **more)
    if method == "card":
        pay(desk, booking)
    elif method == "invoice":
        pay_invoice(desk, booking)
    return customer, booking


def remaining(desk, customer):
    """Return the sum of a customer's credits."""
    return sum(left for _amount, left in desk.lots(customer))


def refunds(desk):
    """Return the refunds: cents, destination, status, and the state of the debt with its open cents."""
    query = """
        select amount_cents::int as cents, destination, status::text, payments.refund_debt_status(r) as debt,
            (amount_cents - recovered_cents)::int as left
        from payments.refunds as r order by id
    """
    return [
        (row["cents"], row["destination"], row["status"], *([row["debt"], row["left"]] if row["debt"] else []))
        for row in desk.db.execute(query).fetchall()
    ]


def sale_refunds(desk, booking):
    """Return the cents of each refund of a booking, without excess refunds."""
    query = "select amount_cents::int as cents from payments.refunds where booking_id = %s and not beyond order by id"
    return [row["cents"] for row in desk.db.execute(query, [booking["id"]]).fetchall()]


def settle(desk, outcome="paid"):
    """Record the end of the only debt."""
    row = desk.db.execute(
        "select id from payments.refunds as r where payments.refund_debt_status(r) = 'owed'"
    ).fetchone()
    routines.call(desk.db, desk.stage.owner, "select payments.settle_debt(%s, %s)", [row["id"], outcome])
