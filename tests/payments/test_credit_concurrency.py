"""Wallets, passes, promo codes and invoice numbers with twenty connections at once: no credit is used twice."""

from uuid import uuid4

import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import delay_statements, outcomes, run_together
from tests.kit.wallets import PRICE, CreditBookings

RIVALS = 20
BOOK = """
select events.book(
    event_id => %(event_id)s, payment_method => %(method)s, promo_code => %(promo_code)s, guest => %(guest)s,
    idempotency_key => %(key)s
)::jsonb
"""


@pytest.fixture
def desk(db):
    desk = CreditBookings(db, capacity=1000)
    delay_statements(db, schema="payments")
    yield desk
    assert desk.findings() == []
    assert db.execute(stages.DRIFT).fetchall() == []


def customer_at_many_events(desk, customer):
    """Return one customer with as many events as there are rivals, so that no event lock separates them."""
    return [(customer, desk.event()) for _ in range(RIVALS)]


def buy(desk, method, promo_code=None, **fixed):
    """Return a function that books for a customer, at the event paired with the customer or at the first event."""

    def act(connection, who):
        customer, event_id = who if isinstance(who, tuple) else (who, desk.event_id)
        arguments = {
            "event_id": event_id,
            "method": method,
            "promo_code": promo_code,
            "guest": True,
            "key": uuid4().hex,
            **fixed,
        }
        return routines.call(connection, customer, BOOK, arguments)

    return act


def test_wallet_is_never_spent_twice_by_concurrent_bookings(connect, desk):
    customer = desk.customer()
    desk.give(customer, 3 * PRICE)
    desk.give(customer, 2 * PRICE + 1, "10 days")

    results = run_together(connect, customer_at_many_events(desk, customer), buy(desk, "wallet"))

    assert outcomes(results) == {"booked": 5, "insufficient_funds": RIVALS - 5}
    assert sum(remaining for _, remaining in desk.lots(customer)) == 1


def test_pass_is_never_used_beyond_its_units_by_concurrent_bookings(connect, desk):
    customer = desk.customer()
    desk.give_pass(customer, 3)
    desk.give_pass(customer, 4, "10 days")

    results = run_together(connect, customer_at_many_events(desk, customer), buy(desk, "pass"))

    assert outcomes(results) == {"booked": 7, "insufficient_credits": RIVALS - 7}
    assert [remaining for _, remaining in desk.lots(customer)] == [0, 0]


@pytest.mark.parametrize(("total", "each", "booked"), [(7, None, 7), (None, 4, 4), (5, 9, 5)])
def test_promo_code_limits_hold_for_concurrent_bookings(connect, desk, total, each, booked):
    customers = customer_at_many_events(desk, desk.customer()) if each else desk.stage.customers(RIVALS)
    routines.call(
        desk.db,
        desk.stage.owner,
        """
        select payments.create_promo_code(
            %s, 'SPRING', 'percent', percent_bps => 1000, uses_most => %s, uses_most_per_customer => %s
        )
        """,
        [desk.stage.organization_id, total, each],
    )

    results = run_together(connect, customers, buy(desk, "card", "SPRING"))

    assert outcomes(results) == {"booked": booked, "promo_code_used_up": RIVALS - booked}
    assert desk.db.execute("select used from payments.promo_codes").fetchone()["used"] == booked


def test_concurrent_retries_with_one_key_use_a_promo_code_once(connect, desk):
    customer = desk.customer()
    routines.call(
        desk.db,
        desk.stage.owner,
        "select payments.create_promo_code(%s, 'SPRING', 'percent', percent_bps => 1000, uses_most => 1)",
        [desk.stage.organization_id],
    )

    results = run_together(connect, [customer] * RIVALS, buy(desk, "card", "SPRING", key="tap", guest=False))

    assert {answer["id"] for answer in results} == {results[0]["id"]}


def test_invoice_numbers_have_no_gaps_or_duplicates_under_concurrency(connect, desk):
    desk.allow_invoices()
    desk.db.execute("update events.inventory set capacity = 12")

    results = run_together(connect, desk.stage.customers(RIVALS), buy(desk, "invoice"))

    numbers = [row["number"] for row in desk.db.execute("select number from payments.invoices order by 1").fetchall()]
    assert outcomes(results) == {"booked": 12, "sold_out": RIVALS - 12}
    assert numbers == list(range(1, 13))


def test_concurrent_bookings_cancellations_and_expiries_lose_no_cent(connect, desk):
    people = desk.stage.customers(5)
    for customer in people:
        desk.give(customer, PRICE)
        lot = desk.give(customer, PRICE, "1 day")
        desk.db.execute(
            "update payments.credit_lots set expires_at = clock_timestamp() + '0.4 seconds' where id = %s", [lot["id"]]
        )
    bookings = [(customer, desk.book(customer, "wallet", guest=True)) for customer in people]

    def act(connection, part):
        kind, customer, booking = part
        if kind == "cancel":
            query = "select events.cancel_booking(booking_id => %s)"
            return routines.call(connection, customer, query, [booking["id"]])
        if kind == "expire":
            return routines.call(connection, None, "select payments.expire_credits(at => now() + interval '1 hour')")
        return buy(desk, "wallet")(connection, customer)

    parts = [(kind, *pair) for pair in bookings for kind in ("cancel", "cancel", "expire", "book")]
    run_together(connect, parts, act)

    desk.expire("1 hour")
    booked = desk.db.execute(
        "select count(*) as n from events.bookings where status = 'confirmed' and payment_method = 'wallet'"
    ).fetchone()["n"]
    balances = desk.balances()
    assert balances.get("platform revenue", 0) == -500 * booked
    assert sum(balances.values()) == 0


def test_event_cancelled_during_bookings_leaves_no_promo_code_use(connect, desk):
    routines.call(
        desk.db,
        desk.stage.owner,
        "select payments.create_promo_code(%s, 'SPRING', 'percent', percent_bps => 10000)",
        [desk.stage.organization_id],
    )

    def act(connection, person):
        if person == desk.stage.owner:
            return routines.call(connection, person, "select events.cancel_event(event_id => %s)", [desk.event_id])
        return buy(desk, None, "SPRING")(connection, person)

    run_together(connect, [*desk.stage.customers(RIVALS - 1), desk.stage.owner], act)

    row = desk.db.execute(
        """
        select
            (select used from payments.promo_codes) as used,
            (select count(*) from payments.promo_uses where given_back_at is null) as uses,
            (select count(*) from events.bookings where status = 'confirmed') as booked
        """
    ).fetchone()
    assert row["used"] == row["uses"] == row["booked"] == 0
