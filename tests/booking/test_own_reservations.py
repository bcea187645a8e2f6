"""Test that a customer's own hold or waitlist offer never counts against them.

A booking uses the seats that its customer has reserved, asks for more if it needs more, and returns the rest.
"""

import json
from dataclasses import dataclass

import psycopg
import pytest

from tests.kit import gateway, routines, stages


@dataclass(frozen=True)
class Case:
    """The seats of an event, what the customer has reserved, the booking, and the outcome.

    `next_waits` is the number of seats that another customer waits for, ahead of the customer if `is_ahead`. `taken`
    and `held` are the counters afterwards, `entry` and `next_entry` the states of both customers' waitlist entries.
    """

    seats: int
    capacity: int = 5
    sold: int = 0
    hold: int = 0
    offer: int = 0
    waits: int = 0
    next_waits: int = 0
    is_ahead: bool = False
    by_staff: bool = False
    named: bool = False
    guest: bool = False
    method: str | None = None
    code: str | None = None
    taken: int = 0
    held: int = 0
    entry: str | None = None
    next_entry: str | None = None


CASES = {
    "all held seats": Case(5, hold=5, taken=5),
    "all held seats, with the hold's id": Case(5, hold=5, named=True, taken=5),
    "fewer than held": Case(2, hold=5, taken=2),
    "fewer than held, with the hold's id": Case(2, hold=5, named=True, taken=2),
    "more than held": Case(5, hold=3, taken=5),
    "more than held, with the hold's id": Case(5, hold=3, named=True, taken=5),
    "more than held and free": Case(5, sold=1, hold=3, code="sold_out", taken=1, held=3),
    "staff book all that the customer holds": Case(5, hold=5, by_staff=True, taken=5),
    "staff book fewer than the customer holds": Case(1, hold=5, by_staff=True, taken=1),
    "guests take the held seats": Case(5, hold=5, guest=True, taken=5),
    "by card": Case(5, hold=5, method="card", held=5),
    "by wallet": Case(2, hold=5, method="wallet", taken=2),
    "rest of a hold goes to the waitlist": Case(2, hold=5, next_waits=3, taken=2, held=3, next_entry="offered"),
    "all offered seats": Case(2, sold=5, offer=2, taken=7, entry="accepted"),
    "one of two offered seats": Case(1, sold=5, offer=2, taken=6, entry="accepted"),
    "rest of an offer goes to the next": Case(
        1, sold=5, offer=2, next_waits=1, taken=6, held=1, entry="accepted", next_entry="offered"
    ),
    "more than offered": Case(3, capacity=6, sold=5, offer=2, taken=8, entry="accepted"),
    "more than offered while another waits": Case(
        3, capacity=6, sold=5, offer=2, next_waits=2, code="sold_out", taken=5, held=2, entry="offered",
        next_entry="waiting",
    ),
    "staff book one of two offered seats": Case(1, sold=5, offer=2, by_staff=True, taken=6, entry="accepted"),
    "first in the waitlist takes fewer": Case(1, capacity=6, sold=5, waits=2, taken=6, entry="left"),
    "second in the waitlist waits": Case(
        1, capacity=6, sold=5, waits=2, next_waits=2, is_ahead=True, code="sold_out", taken=5, entry="waiting",
        next_entry="waiting",
    ),
}  # fmt: skip

BOOK = """
select events.book(
    event_id => %s, seats => %s, customer_id => %s, guest => %s, hold_id => %s, payment_method => %s,
    idempotency_key => 'tap'
)
"""
HOLD = "select events.hold_seats(event_id => %s, seats => %s)"
JOIN = "select events.join_waitlist(event_id => %s, seats => %s)"


def hold(db, event_id, customer, seats, caller=None):
    query = "select events.hold_seats(event_id => %s, seats => %s, customer_id => %s)"
    return routines.call(db, caller or customer, query, [event_id, seats, customer if caller else None])


def counters(db, event_id):
    row = db.execute("select taken, held from events.inventory where event_id = %s", [event_id]).fetchone()
    return row["taken"], row["held"]


def entry_of(db, customer):
    row = db.execute("select status from events.waitlist_entries where customer_id = %s", [customer]).fetchone()
    return row and row["status"]


def resize(db, event_id, more):
    """Add seats. They are set aside if somebody waits, as events.set_capacities does."""
    query = """
        update events.inventory
        set capacity = capacity + %(more)s, set_aside = case when waitlisted > 0 then set_aside + %(more)s else 0 end
        where event_id = %(event_id)s
    """
    db.execute(query, {"more": more, "event_id": event_id})


@pytest.mark.parametrize("name", CASES)
def test_booking_uses_what_its_customer_reserved(db, name):
    case = CASES[name]
    stage = stages.create(db)
    customer, after = stage.customer(), stage.customer()
    event_id = stage.event(capacity=case.sold or case.capacity)
    if case.sold:
        routines.book(db, event_id, stage.customer(), case.sold)
    if case.is_ahead:
        routines.call(db, after, JOIN, [event_id, case.next_waits])
    if case.offer or case.waits:
        routines.call(db, customer, JOIN, [event_id, case.offer or case.waits])
    if case.offer:
        resize(db, event_id, case.offer)
        db.execute("select events.offer_seats(%s)", [event_id])
    if case.method:
        db.execute("update events.events set price_cents = 1000 where id = %s", [event_id])
        db.execute("insert into organizations.payout_settings (organization_id) values (%s)", [stage.organization_id])
        query = (
            "select payments.grant_credits(organization_id => %s, customer_id => %s, kind => 'wallet', amount => 9000,"
            " currency => 'CHF', idempotency_key => 'grant')"
        )
        routines.call(db, stage.owner, query, [stage.organization_id, customer])
    hold_id = None
    if case.sold and not (case.offer or case.waits):
        resize(db, event_id, case.capacity - case.sold)
    if case.hold:
        hold_id = hold(db, event_id, customer, case.hold)["id"]
    if case.next_waits and not case.is_ahead:
        routines.call(db, after, JOIN, [event_id, case.next_waits])
    if case.sold and (case.offer or case.waits):
        resize(db, event_id, case.capacity - case.sold)
    code = None
    try:
        routines.call(
            db,
            stage.owner if case.by_staff else customer,
            BOOK,
            [event_id, case.seats, customer if case.by_staff else None, case.guest, hold_id if case.named else None,
             case.method],
        )  # fmt: skip
    except psycopg.Error as error:
        code = routines.code_of(error)

    assert (code, counters(db, event_id)) == (case.code, (case.taken, case.held))
    assert (entry_of(db, customer), entry_of(db, after)) == (case.entry, case.next_entry)
    assert db.execute(stages.DRIFT).fetchall() == []
    if code is None:
        row = db.execute("select seats from events.bookings where customer_id = %s", [customer]).fetchone()
        assert row["seats"] == case.seats


@pytest.mark.parametrize("seats", [1, 2, 4, 5])
def test_new_hold_changes_the_seats_of_the_existing_one(db, seats):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=5), stage.customer()
    first = hold(db, event_id, customer, 2)

    second = hold(db, event_id, customer, seats)

    assert second == {**first, "seats": seats}
    assert counters(db, event_id) == (0, seats)


def test_new_hold_beyond_the_free_seats_is_refused_and_keeps_the_existing_one(db):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=5), stage.customer()
    routines.book(db, event_id, stage.customer(), 2)
    hold(db, event_id, customer, 2)

    with pytest.raises(psycopg.Error) as refused:
        hold(db, event_id, customer, 4)

    assert routines.code_of(refused.value) == "sold_out"
    assert counters(db, event_id) == (2, 2)


def test_growing_hold_counts_only_its_new_seats_against_the_limits(db):
    stage = stages.create(db)
    customer = stage.customer()
    policy = {**stages.POLICY, "seats_max_per_person": 4}
    event_id = stage.event(capacity=9, policy=policy)
    hold(db, event_id, customer, 3)

    assert hold(db, event_id, customer, 4)["seats"] == 4
    with pytest.raises(psycopg.Error) as refused:
        hold(db, event_id, customer, 5)

    assert routines.code_of(refused.value) == "too_many_seats"
    assert json.loads(refused.value.diag.message_detail)["seats_left"] == 0


@pytest.mark.parametrize("by_staff", [False, True], ids=["customer", "staff"])
@pytest.mark.parametrize(("seats", "next_status"), [(2, "waiting"), (1, "offered")])
def test_hold_of_a_customer_with_an_offer_is_the_offer(db, seats, next_status, by_staff):
    stage = stages.create(db)
    event_id, customer, after = stage.event(capacity=2), stage.customer(), stage.customer()
    routines.book(db, event_id, stage.customer(), 2)
    routines.call(db, customer, JOIN, [event_id, 2])
    routines.call(db, after, JOIN, [event_id, 1])
    resize(db, event_id, 2)
    db.execute("select events.offer_seats(%s)", [event_id])

    held = hold(db, event_id, customer, seats, caller=stage.owner if by_staff else None)

    assert (held["purpose"], held["seats"]) == ("offer", seats)
    assert entry_of(db, after) == next_status
    booked = routines.call(db, customer, BOOK.strip() + "::jsonb", [event_id, seats, None, False, held["id"], None])
    assert (booked["seats"], entry_of(db, customer)) == (seats, "accepted")


def test_accepted_offer_returns_the_customers_hold_to_the_waitlist(db):
    stage = stages.create(db)
    event_id, customer, after = stage.event(capacity=4), stage.customer(), stage.customer()
    routines.book(db, event_id, stage.customer(), 4)
    entry = routines.call(db, customer, JOIN, [event_id, 3])
    resize(db, event_id, 1)
    hold(db, event_id, customer, 1)
    routines.call(db, after, JOIN, [event_id, 1])
    resize(db, event_id, 2)
    db.execute("select events.offer_seats(%s)", [event_id])

    routines.call(db, customer, "select events.accept_offer(entry_id => %s, idempotency_key => 'tap')", [entry["id"]])

    assert (entry_of(db, customer), entry_of(db, after)) == ("accepted", "offered")
    assert counters(db, event_id) == (6, 1)
    assert db.execute("select count(*) as n from events.holds where status = 'released'").fetchone()["n"] == 0


@pytest.mark.parametrize(("seats", "offered", "held"), [(3, 2, 1), (2, 2, 0), (1, 1, 0), (4, 2, 1)])
@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
def test_refused_payment_returns_the_offer_and_the_hold(db, seats, offered, held, named):
    stage = stages.create(db)
    db.execute("insert into organizations.payout_settings (organization_id) values (%s)", [stage.organization_id])
    event_id, customer = stage.event(capacity=4), stage.customer()
    routines.book(db, event_id, stage.customer(), 4)
    db.execute("update events.events set price_cents = 1000 where id = %s", [event_id])
    routines.call(db, customer, JOIN, [event_id, 3])
    db.execute("update events.inventory set capacity = 5 where event_id = %s", [event_id])
    hold_id = hold(db, event_id, customer, 1)["id"]
    resize(db, event_id, 3)
    db.execute("select events.offer_seats(%s)", [event_id])
    params = [event_id, seats, None, False, hold_id if named else None, "card"]
    booked = routines.call(db, customer, BOOK.strip() + "::jsonb", params)

    routines.call(db, None, "select payments.refuse_intent(%s, %s)", [booked["id"], '{"message": "no"}'])

    query = "select purpose, seats from events.holds where customer_id = %s and status = 'active' order by purpose"
    found = {row["purpose"]: row["seats"] for row in db.execute(query, [customer])}
    assert found == {"offer": offered} | ({"online": held} if held else {})
    assert entry_of(db, customer) == "offered"
    row = db.execute("select seats from events.waitlist_entries where customer_id = %s", [customer]).fetchone()
    assert row["seats"] == offered
    assert counters(db, event_id) == (4, offered + held)
    assert db.execute(stages.DRIFT).fetchall() == []


@pytest.mark.parametrize(
    ("seats", "code", "held", "next_status"),
    [
        (6, "sold_out", 4, "waiting"),
        (5, None, 5, "waiting"),
        (4, None, 4, "waiting"),
        (3, None, 5, "offered"),
        (2, None, 4, "offered"),
        (1, None, 3, "offered"),
    ],
)
def test_hold_counts_the_customers_hold_and_offer(db, seats, code, held, next_status):
    stage = stages.create(db)
    event_id, customer, after = stage.event(capacity=4), stage.customer(), stage.customer()
    sold = routines.book(db, event_id, stage.customer(), 3)
    hold(db, event_id, customer, 1)
    db.execute("update events.holds set expires_at = expires_at + interval '1 hour', seat_prices_cents = '{500}'")
    query = """
        insert into events.waitlist_entries (event_id, customer_id, joined_by, seats, place)
        values (%(event_id)s, %(customer)s, %(customer)s, 3, 1)
    """
    db.execute(query, {"event_id": event_id, "customer": customer})
    routines.call(db, stage.owner, "select events.cancel_booking(%s)", [sold["id"]])
    assert entry_of(db, customer) == "offered"
    routines.call(db, after, JOIN, [event_id, 2])
    # One seat that nobody waits for.
    db.execute("update events.inventory set capacity = 5 where event_id = %s", [event_id])

    try:
        answer = hold(db, event_id, customer, seats)
        assert code is None
    except psycopg.Error as refused:
        assert routines.code_of(refused) == code
        assert counters(db, event_id) == (0, held)
        return

    assert (answer["purpose"], answer["seats"]) == ("offer", seats)
    assert answer["price_cents"] == (500 if seats >= 4 else 0)
    assert (entry_of(db, after), counters(db, event_id)) == (next_status, (0, held))
    query = """
        select h.seats, h.expires_at, w.seats as waited, w.offer_expires_at
        from events.holds as h
        left join events.waitlist_entries as w on w.hold_id = h.id
        where h.customer_id = %s and h.status = 'active'
    """
    [kept] = db.execute(query, [customer]).fetchall()
    assert (kept["seats"], kept["waited"], kept["offer_expires_at"]) == (seats, seats, kept["expires_at"])
    assert hold(db, event_id, customer, seats) == answer
    db.execute("update events.holds set seat_prices_cents = array_fill(0, array[seats])")
    booked = routines.call(db, customer, BOOK.strip() + "::jsonb", [event_id, seats, None, False, answer["id"], None])
    assert (booked["seats"], entry_of(db, customer)) == (seats, "accepted")
    assert db.execute(stages.DRIFT).fetchall() == []


@pytest.mark.parametrize("held", [1, 2])
def test_customer_who_holds_seats_waits_for_the_missing_seats(db, held):
    stage = stages.create(db)
    policy = {**stages.POLICY, "seats_max_per_person": 5}
    event_id, customer, after = stage.event(capacity=5, policy=policy), stage.customer(), stage.customer()
    sold = routines.book(db, event_id, stage.customer(), 3)
    routines.call(db, customer, JOIN, [event_id, 5])
    routines.call(db, after, JOIN, [event_id, 3])

    for _ in range(2):
        hold(db, event_id, customer, held)
        row = db.execute("select status, seats from events.waitlist_entries where customer_id = %s", [customer])
        assert row.fetchone() == {"status": "waiting", "seats": 5 - held}
    routines.call(db, stage.owner, "select events.cancel_booking(%s)", [sold["id"]])

    assert (entry_of(db, customer), counters(db, event_id)) == ("offered", (0, 5))
    booked = routines.call(db, customer, BOOK.strip() + "::jsonb", [event_id, 5, None, False, None, None])
    assert (booked["seats"], entry_of(db, customer), entry_of(db, after)) == (5, "accepted", "waiting")


@pytest.mark.parametrize("by_staff", [False, True], ids=["customer", "staff"])
def test_hold_of_all_awaited_seats_ends_the_entry(db, by_staff):
    stage = stages.create(db)
    event_id, customer, before = stage.event(capacity=3), stage.customer(), stage.customer()
    routines.book(db, event_id, stage.customer(), 2)
    routines.call(db, before, JOIN, [event_id, 3])
    routines.call(db, customer, JOIN, [event_id, 2])
    db.execute("update events.inventory set capacity = 4 where event_id = %s", [event_id])

    hold(db, event_id, customer, 2, caller=stage.owner if by_staff else None)

    assert (entry_of(db, customer), entry_of(db, before)) == ("left", "waiting")
    assert counters(db, event_id) == (2, 2)
    assert db.execute(stages.DRIFT).fetchall() == []


def test_customer_books_their_hold_without_naming_it_by_the_api(db):
    stage = stages.create(db)
    event_id, customer = stage.event(capacity=5), stage.customer()
    held = gateway.post("book", "/holds", {"event_id": str(event_id), "seats": 5}, caller=customer)
    assert held.status == 201

    booked = gateway.post("book", "/bookings", {"event_id": str(event_id), "seats": 5}, caller=customer, key="tap")

    assert (booked.status, booked.body["seats"]) == (201, 5)
