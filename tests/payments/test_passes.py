"""Passes: units that pay for an organization's classes, one per seat. No money moves."""

import pytest

from tests.kit import routines
from tests.kit.wallets import CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


def test_pass_pays_one_unit_per_seat_and_moves_no_money(desk):
    customer = desk.customer()
    desk.give_pass(customer, 10)

    booking = desk.book(customer, "pass", seats=3)

    assert (booking["status"], booking["price_cents"], booking["payment_method"]) == ("confirmed", 0, "pass")
    assert desk.lots(customer) == [(10, 7)]
    assert desk.balances() == {}


def test_pass_with_too_few_units_is_refused_and_unchanged(desk):
    customer = desk.customer()
    desk.give_pass(customer, 2)

    assert desk.refusal(customer, "pass", seats=3) == "insufficient_credits"
    assert desk.lots(customer) == [(2, 2)]


def test_passes_are_used_in_order_of_expiry(desk):
    customer = desk.customer()
    desk.give_pass(customer, 2)
    desk.give_pass(customer, 2, "20 days")

    desk.book(customer, "pass", seats=3)

    assert desk.lots(customer) == [(2, 1), (2, 0)]


@pytest.mark.parametrize(
    ("categories", "category", "admits"),
    [
        (None, "yoga", True),
        (None, None, True),
        (["yoga"], "yoga", True),
        (["fitness"], "yoga", True),
        (["fitness"], "fitness", True),
        (["pilates"], "yoga", False),
        (["yoga"], "fitness", False),
        (["yoga"], None, False),
    ],
)
def test_pass_is_valid_for_its_categories_and_their_subcategories(desk, categories, category, admits):
    customer = desk.customer()
    desk.give_pass(customer, 1, categories=categories)
    event_id = desk.event(category)

    if admits:
        assert desk.book(customer, "pass", event_id=event_id)["status"] == "confirmed"
    else:
        assert desk.refusal(customer, "pass", event_id=event_id) == "insufficient_credits"


def test_expired_pass_is_refused(desk):
    customer = desk.customer()
    lot = desk.give_pass(customer, 5, "1 day")
    desk.set_expiry(lot, "-1 second")

    assert desk.refusal(customer, "pass") == "insufficient_credits"
    assert desk.expire()["lots"] == 1
    assert desk.lots(customer) == [(5, 0)]


def test_pass_is_valid_at_its_own_organization_only(desk):
    customer, other = desk.customer(), CreditBookings(desk.db)
    desk.give_pass(customer, 5)
    other.give_pass(other.customer(), 5)

    assert other.refusal(customer, "pass") == "insufficient_credits"


def test_pass_payment_is_refused_when_the_organization_has_no_passes(desk):
    assert desk.refusal(desk.customer(), "pass") == "payment_required"


def test_cancellation_in_time_returns_the_units_once(desk):
    customer = desk.customer()
    desk.give_pass(customer, 2)
    desk.give_pass(customer, 2, "20 days")
    booking = desk.book(customer, "pass", seats=3)

    desk.cancel(booking, customer)
    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(2, 2), (2, 2)]


@pytest.mark.parametrize(("late_credit_lost", "left", "fee_cents"), [(True, 3, 0), (False, 5, 500)])
def test_late_cancellation_loses_the_units_or_costs_the_fee(db, late_credit_lost, left, fee_cents):
    desk = CreditBookings(db, cancel_hours_before=2160, late_credit_lost=late_credit_lost)
    customer = desk.customer()
    desk.give_pass(customer, 5)
    booking = desk.book(customer, "pass", seats=2)

    answer = desk.cancel(booking, customer)

    assert (answer["late"], answer["fee_cents"]) == (True, fee_cents)
    assert desk.lots(customer) == [(5, left)]


def test_staff_may_waive_the_loss_of_units(db):
    desk = CreditBookings(db, cancel_hours_before=2160)
    customer = desk.customer()
    desk.give_pass(customer, 5)
    booking = desk.book(customer, "pass", seats=2)

    desk.cancel(booking, desk.stage.owner, waive=True)

    assert desk.lots(customer) == [(5, 5)]


def test_event_cancelled_by_its_organizer_always_returns_the_units(db):
    desk = CreditBookings(db, cancel_hours_before=2160)
    people = desk.stage.customers(3)
    lots = [desk.give_pass(customer, 5, "1 day") for customer in people]
    for customer in people:
        desk.book(customer, "pass", seats=2)
    desk.set_expiry(lots[0], "-1 second")

    desk.cancel_event()

    assert [desk.lots(customer) for customer in people] == [[(5, 3), (2, 2)]] * 3
    desk.expire("29 days")
    assert [desk.lots(customer) for customer in people] == [[(5, 0), (2, 2)]] * 3


def test_rebooking_after_a_cancellation_uses_the_pass_again(desk):
    customer = desk.customer()
    desk.give_pass(customer, 1)

    for _time in range(3):
        desk.cancel(desk.book(customer, "pass"), customer)

    assert desk.lots(customer) == [(1, 1)]


def test_waitlist_offer_can_be_accepted_with_a_pass(db):
    desk = CreditBookings(db, capacity=1)
    first, second = desk.customer(), desk.customer()
    desk.give_pass(second, 1)
    desk.give_pass(first, 1)
    booking = desk.book(first, "pass")
    entry = routines.call(db, second, "select events.join_waitlist(event_id => %s)", [desk.event_id])
    desk.cancel(booking, first)

    routines.call(
        db,
        second,
        "select events.accept_offer(entry_id => %s, payment_method => 'pass', idempotency_key => 'tap')",
        [entry["id"]],
    )

    assert desk.lots(second) == [(1, 0)]
