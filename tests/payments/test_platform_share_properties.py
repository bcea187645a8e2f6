"""The platform takes its share of an amount once, when spent credits of a promo code are deducted from a refund.

A customer pays a booking by card with a code that adds credits, spends credits on a second booking, and the first one
ends. Whatever the amounts and the ends are, the platform keeps its 5 % of the money that the customer has given for
good, to the cent of rounding. MARQUEE_EXAMPLES=500 sets the number of customers.
"""

import os
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.kit import money_invariants
from tests.kit.money_figures import Till
from tests.kit.payments import dashboard_refund
from tests.kit.wallets import CreditBookings

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "40"))
GIVEN = """
select
    (select coalesce(sum(i.amount_cents), 0) from payments.intents as i where i.customer_id = %(customer)s)
    - (
        select coalesce(sum(r.amount_cents), 0)
        from payments.refunds as r where r.customer_id = %(customer)s and r.intent_id is not null
    )
    + (
        select coalesce(sum(r.amount_cents - r.recovered_cents), 0)
        from payments.refunds as r where r.customer_id = %(customer)s and (r.beyond or r.cause = 'promotion')
    )
    - (select coalesce(sum(l.remaining), 0) from payments.credit_lots as l where l.customer_id = %(customer)s)
    as cents
"""
"""The money that a customer has given or owes, less what is refunded or still in the wallet."""


def revenue(db: psycopg.Connection[Any]) -> int:
    """Return the platform's revenue of all sales."""
    return -money_invariants.balances(db).get("platform revenue", 0)


def cancel_event(till: Till, _booking: dict[str, Any], event_id: Any) -> None:
    """Cancel the event of the first booking as its organizer."""
    till.call("select events.cancel_event(event_id => %s)", event_id)


def refund_in_two_parts(till: Till, booking: dict[str, Any], _event_id: Any) -> None:
    """Refund a part as staff, then the remaining part."""
    row = till.db.execute(
        "select payments.refundable_sale_cents(s) as cents from payments.sales as s where s.booking_id = %s",
        [booking["id"]],
    ).fetchone()
    assert row is not None
    for cents in (row["cents"] // 3, row["cents"] - row["cents"] // 3):
        if cents:
            till.refund(booking, cents)


ENDS: dict[str, Any] = {
    "cancelled": lambda till, booking, _event_id: till.cancel(booking, till.booker),
    "waived": lambda till, booking, _event_id: till.cancel(booking, waive=True),
    "called off": cancel_event,
    "refunded by staff, then cancelled": lambda till, booking, event_id: (
        refund_in_two_parts(till, booking, event_id),
        till.cancel(booking, till.booker),
    ),
    "refunded at Stripe": lambda till, booking, _event_id: till.apply_payment(
        booking, refunds=[dashboard_refund(booking["id"], booking["price_cents"])]
    ),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("late", [False, True])
def test_platform_share_of_an_amount_is_taken_once(db: psycopg.Connection[Any], end: str, *, late: bool) -> None:
    @settings(max_examples=EXAMPLES // 10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @example(price=10000, gift=2000, spent=2000, percent=50, returned=False)
    @example(price=2000, gift=200, spent=590, percent=0, returned=True)
    @example(price=1500, gift=2000, spent=2000, percent=0, returned=False)
    @given(
        price=st.integers(100, 20000),
        gift=st.integers(100, 5000),
        spent=st.integers(1, 5000),
        percent=st.integers(0, 100),
        returned=st.booleans(),
    )
    def check(*, price: int, gift: int, spent: int, percent: int, returned: bool) -> None:
        till = Till(db, **({"cancel_hours_before": 2160, "late_refund_percent": percent} if late else {}))
        before = revenue(db)
        till.create_code("GIFT", kind="credits", amount_cents=gift, currency="CHF")
        event_id = till.event(price_cents=price)
        booking = till.buy_with("card", promo_code="GIFT", event_id=event_id)
        till.apply_payment(booking)
        other = till.buy_with("wallet", event_id=till.event(price_cents=min(spent, gift)))

        ENDS[end](till, booking, event_id)
        if returned:
            till.cancel(other, waive=True)

        row = db.execute(GIVEN, {"customer": till.booker}).fetchone()
        assert row is not None
        assert abs((revenue(db) - before) * 100 - row["cents"] * 5) <= 200
        assert till.findings() == []
        assert CreditBookings.findings(till) == []

    check()
    assert money_invariants.findings(db) == []


def test_organization_that_keeps_the_share_in_refunds_pays_it_for_each_sale(db: psycopg.Connection[Any]) -> None:
    till = Till(db)
    db.execute("update organizations.payout_settings set fee_refunded = false")
    till.create_code("GIFT", kind="credits", amount_cents=2000, currency="CHF")
    booking = till.buy_with("card", promo_code="GIFT")
    till.apply_payment(booking)
    till.buy_with("wallet", event_id=till.event(price_cents=2000))

    till.cancel(booking, till.booker)

    assert revenue(db) == 500 + 100
