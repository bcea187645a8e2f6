"""Late cancellations: the policy's refund of the price, and the fee of bookings without a price."""

from uuid import uuid4

import pytest

from tests.kit import gateway, money_invariants, routines, scheduling
from tests.kit.money_figures import Till
from tests.kit.wallets import PRICE, CreditBookings

FEE = 3000
LATE = {"cancel_hours_before": 2160}


def fees(caller):
    return gateway.get("invoices", "/fees", caller=caller).body["items"]


@pytest.mark.parametrize(
    ("policy", "kept_cents"),
    [
        ({"late_refund_percent": 0, "late_fee_cents": 0}, PRICE),
        ({"late_refund_percent": 50, "late_fee_cents": 0}, PRICE // 2),
        ({"late_refund_percent": 50, "late_fee_cents": 6000}, 6000),
        ({"late_refund_percent": 50, "late_fee_cents": 4000}, PRICE // 2),
        ({"late_refund_percent": 100, "late_fee_cents": FEE}, FEE),
        ({"late_refund_percent": 100, "late_fee_cents": 2 * PRICE}, PRICE),
        ({"late_refund_percent": 100, "late_fee_cents": 0}, 0),
        ({"late_refund_percent": 33, "late_fee_cents": 0}, 6700),
        ({"late_fee_cents": FEE}, FEE),  # copied before policies had a percentage
    ],
)
@pytest.mark.parametrize("method", ["wallet", "invoice"])
def test_late_cancellation_keeps_the_part_of_the_price_that_the_policy_states(db, method, policy, kept_cents):
    desk = CreditBookings(db, **LATE, **policy)
    desk.allow_invoices()
    customer = desk.customer()
    desk.give(customer, PRICE)
    booking = desk.book(customer, method)

    answer = desk.cancel(booking, customer)

    assert (answer["late"], answer["fee_cents"]) == (True, kept_cents)
    if method == "wallet":
        assert desk.lots(customer) == [(PRICE, PRICE - kept_cents)]
    else:
        assert desk.balances().get("user payable", 0) == kept_cents
    assert desk.findings() == []


def test_waived_late_cancellation_refunds_everything(db):
    desk = CreditBookings(db, **LATE, late_refund_percent=0)
    customer = desk.customer()
    desk.give(customer, PRICE)

    desk.cancel(desk.book(customer, "wallet"), desk.stage.owner, waive=True)

    assert desk.lots(customer) == [(PRICE, PRICE)]


@pytest.mark.parametrize("money", [0, FEE - 1, FEE])
def test_late_cancellation_of_a_free_booking_costs_the_fee(db, money):
    desk = CreditBookings(db, late_refund_percent=0)
    customer = desk.customer()
    if money:
        desk.give(customer, money)
    event_id = desk.event(price_cents=0, policy={**desk.policy, **LATE, "late_fee_cents": FEE})
    booking = routines.book(db, event_id, customer)

    answer = desk.cancel(booking, customer)
    again = desk.cancel(booking, customer)

    assert answer == again
    assert (answer["late"], answer["fee_cents"]) == (True, FEE)
    (fee,) = fees(customer)
    assert (fee["kind"], fee["amount_cents"], fee["status"]) == (
        "late_cancellation", FEE, "paid" if money == FEE else "owed",
    )  # fmt: skip
    assert desk.balances().get("user payable", 0) == (0 if money == FEE else FEE)
    assert desk.findings() == []


def test_waived_fee_of_a_free_booking_is_returned(db):
    desk = CreditBookings(db)
    customer = desk.customer()
    desk.give(customer, FEE)
    event_id = desk.event(price_cents=0, policy={**desk.policy, **LATE, "late_fee_cents": FEE})
    desk.cancel(routines.book(db, event_id, customer), customer)
    (fee,) = fees(customer)

    answer = gateway.post("invoices", f"/fees/{fee['id']}/waive", {"reason": "Ill"}, caller=desk.stage.owner)

    assert (answer.status, answer.body["status"]) == (200, "taken_back")
    assert desk.lots(customer) == [(FEE, FEE)]
    assert desk.findings() == []


@pytest.mark.parametrize(
    ("late_credit_lost", "units_left", "fee_cents"), [(True, 3, 0), (False, 5, FEE)], ids=["units", "money"]
)
def test_late_cancellation_of_a_pass_booking_costs_its_units_or_the_fee(db, late_credit_lost, units_left, fee_cents):
    desk = CreditBookings(db, **LATE, late_credit_lost=late_credit_lost, late_fee_cents=FEE)
    customer = desk.customer()
    desk.give_pass(customer, 5)

    answer = desk.cancel(desk.book(customer, "pass", seats=2), customer)

    assert (answer["fee_cents"], desk.lots(customer)) == (fee_cents, [(5, units_left)])
    assert sum(fee["amount_cents"] for fee in fees(customer)) == fee_cents
    assert desk.findings() == []


def test_late_fee_applies_to_a_booking_that_a_promo_code_made_free(db):
    desk = CreditBookings(db, **LATE, late_fee_cents=FEE)
    customer = desk.customer()
    query = """
        select payments.create_promo_code(
            organization_id => %s, code => 'GIFT', kind => 'percent', percent_bps => 10000
        )
    """
    routines.call(db, desk.stage.owner, query, [desk.stage.organization_id])
    booking = desk.book(customer, None, promo_code="GIFT")

    assert desk.cancel(booking, customer)["fee_cents"] == FEE
    assert [fee["status"] for fee in fees(customer)] == ["owed"]


def test_complimentary_seats_cost_nothing_when_they_are_cancelled_late(db):
    desk = CreditBookings(db, **LATE, late_fee_cents=FEE)
    customer = desk.customer()
    booking = routines.call(
        db, desk.stage.owner,
        "select events.book(event_id => %s, customer_id => %s, payment_method => 'comp', idempotency_key => %s)::jsonb",
        [desk.event_id, customer, uuid4().hex],
    )  # fmt: skip

    assert desk.cancel(booking, customer)["fee_cents"] == 0


def test_unpaid_booking_is_cancelled_late_without_a_fee(db):
    desk = CreditBookings(db, **LATE, late_refund_percent=0, late_fee_cents=FEE)
    customer = desk.customer()

    assert desk.cancel(desk.book(customer, "card"), customer)["fee_cents"] == 0
    assert fees(customer) == []


@pytest.mark.parametrize(
    ("columns", "percent"),
    [
        ({}, 0),
        ({"late_fee_cents": 1000}, 100),
        ({"late_refund_percent": 40}, 40),
        ({"late_refund_percent": 40, "late_fee_cents": 1000}, 40),
        ({"late_refund_percent": 0, "late_fee_cents": 1000}, 0),
        (None, 0),
    ],
)
def test_policy_refunds_nothing_after_its_cutoff_unless_it_says_so(db, columns, percent):
    world = scheduling.world(db)
    policy_id = None
    if columns is not None:
        given = {"late_refund_percent": None, "late_fee_cents": 0, **columns}
        policy_id = db.execute(
            "insert into organizations.policies (organization_id, name, late_refund_percent, late_fee_cents)"
            " values (%(organization_id)s, 'Late', %(late_refund_percent)s, %(late_fee_cents)s) returning id",
            {"organization_id": world.organization_id, **given},
        ).fetchone()["id"]

    found = db.execute("select events.policy_snapshot(%s) as policy", [policy_id]).fetchone()["policy"]

    assert found["late_refund_percent"] == percent


COST = """
select
    b.status::text as status, b.late, b.fee_cents::int as fee_cents,
    array(
        select jsonb_build_array(r.amount_cents, r.destination)
        from payments.refunds as r
        where r.booking_id = b.id and r.cause not like 'erased:%%'
    ) as refunds,
    array(
        select jsonb_build_array(f.amount_cents, f.paid_from) from payments.fees as f where f.booking_id = b.id
    ) as fees,
    array(
        select jsonb_build_array(u.purpose, u.amount, u.returned)
        from payments.credit_uses as u where u.booking_id = b.id order by u.purpose
    ) as used,
    array(
        select u.given_back_at is null from payments.promo_uses as u where u.booking_id = b.id
    ) as code_is_used
from events.bookings as b where b.id = %s
"""


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("code", [None, "TEN"])
@pytest.mark.parametrize("method", ["card", "wallet", "invoice", "pass", "none", "unpaid"])
def test_erasing_the_profile_costs_the_same_as_cancelling(db, method, code, *, late):
    desk = Till(db, **(LATE if late else {}), late_refund_percent=40, late_fee_cents=FEE, late_credit_lost=False)
    desk.create_code("TEN", kind="percent", percent_bps=1000)
    seen = []
    for cancels in (True, False):
        desk.booker = desk.stage.customer()
        if method == "wallet":
            desk.give(desk.booker, PRICE)
        if method == "pass":
            desk.give_pass(desk.booker, 1)
        free = {"event_id": desk.event(price_cents=0, policy=desk.policy)} if method == "none" else {}
        booking = desk.buy_with(
            {"none": None, "unpaid": "card"}.get(method, method),
            promo_code=None if method in ("none", "pass") else code,
            **free,
        )
        if method == "card":
            desk.apply_payment(booking)
        if cancels:
            desk.cancel(booking, desk.booker)
        else:
            routines.call(db, desk.booker, "select users.erase_profile(user_id => %s)", [desk.booker])
        seen.append(db.execute(COST, [booking["id"]]).fetchone())

    assert seen[0] == seen[1]
    assert seen[0]["late"] is late
    assert (seen[0]["fee_cents"] > 0) is (late and method != "unpaid")
    assert CreditBookings.findings(desk) == []
    assert money_invariants.findings(db) == []
