"""Test edge cases that random sequences rarely reach, step by step in the database and in the model."""

import pytest

from tests.kit import booking_model as rules
from tests.kit import stages
from tests.kit.booking_comparison import Comparison


@pytest.fixture
def begin(db):
    """Return a function that starts a scenario. Each scenario is compared with the model once more at its end."""
    begun: list[Comparison] = []

    def one(capacity: int) -> Comparison:
        begun.append(Comparison(stages.create(db), capacity))
        return begun[-1]

    yield one
    for both in begun:
        both.compare()


def test_booking_of_fewer_seats_than_held_and_offered_passes_the_rest_to_the_next_entry(begin):
    both = begin(3)
    ana, ben, cleo, *_ = both.people
    both.book(ana, seats=3)
    both.join(ben, 2)
    both.join(cleo, 2)
    both.resize(both.staff, 4)
    both.hold(ben, 1, None)
    both.resize(both.staff, 6)
    both.compare()
    assert [entry.status for entry in both.life.entries] == ["offered", "waiting"]

    both.book(ben, seats=1)

    both.compare()
    assert [entry.status for entry in both.life.entries] == ["accepted", "offered"]


def test_booking_of_a_hold_closes_the_customers_entry_and_unblocks_the_queue(begin):
    both = begin(3)
    ana, ben, cleo, *_ = both.people
    both.book(ana, seats=3)
    both.join(ben, 3)
    both.join(cleo, 1)
    both.resize(both.staff, 4)
    both.hold(ben, 1, None)
    both.resize(both.staff, 5)
    both.compare()
    assert [entry.status for entry in both.life.entries] == ["waiting", "waiting"]

    both.book(ben, seats=1, hold=0)

    both.compare()
    assert [entry.status for entry in both.life.entries] == ["left", "offered"]


def test_customer_with_a_hold_cannot_join_the_waitlist(begin):
    both = begin(3)
    ana, *_ = both.people
    both.hold(ana, 1, None)

    both.join(ana, 3)

    assert both.life.entries == []


@pytest.mark.parametrize("again", range(4))
def test_offers_that_expire_together_keep_their_order(begin, again):
    """Repeat the case, because ids that are created at the same time sort randomly."""
    both = begin(1)
    first, *others = both.people
    both.book(first, seats=1)
    for who in others:
        both.join(who, 1)
    both.resize(both.staff, 5)
    both.later(rules.OFFER)

    both.sweep()

    both.compare()
    assert [entry.place for entry in both.life.entries] == [5, 6, 7, 8]


def test_guest_booking_without_free_seats_is_refused_as_sold_out(begin):
    both = begin(1)
    ana = both.people[0]
    both.book(ana, seats=1)

    assert both.book(ana, seats=1, guest=True) == "sold_out"


def test_customer_whose_last_offer_expired_can_book_free_seats(begin):
    both = begin(2)
    ana, ben, *_ = both.people
    both.book(ana, seats=2)
    both.join(ben, 2)
    both.cancel(ana, 0)
    both.later(rules.OFFER)
    both.sweep()
    both.later(rules.OFFER)

    assert both.book(ben, seats=1) is None

    both.compare()
    assert both.life.entries[0].status == "expired"


def test_waitlist_reserves_no_seats_after_the_last_offer(begin):
    both = begin(2)
    ana, ben, cleo, *_ = both.people
    both.book(ana, seats=2)
    both.join(ben, 2)
    both.later(rules.LAST_OFFER)
    both.cancel(ana, 0)

    assert both.book(cleo, seats=1) is None
