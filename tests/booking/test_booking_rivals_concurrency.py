"""Test that a booking routine that waited for a lock decides by the facts that a rival changed meanwhile.

tests/kit/rivals.py explains the three tries of a case. tests/database/test_waiting_routines.py checks that every
routine that waits has a case or a reason.
"""

import json

import pytest

from tests.kit import rivals, routines, stages
from tests.kit.rivals import Case, Scene, calls, runs

BOOK = "select events.book(event_id => %(event_id)s, seats => {}, idempotency_key => 'tap'{})"
FAST, FAST_3 = (calls(BOOK.format(seats, "")) for seats in (1, 3))
GENERAL, GENERAL_2, GENERAL_3 = (calls(BOOK.format(seats, ", payment_method => 'none'")) for seats in (1, 2, 3))
WALLET = calls(BOOK.format(1, ", payment_method => 'wallet'"))
WALLET_FOR_10 = calls(BOOK.format(1, ", payment_method => 'wallet', total_cents => 1000"))
CARD = calls(BOOK.format(1, ", payment_method => 'card'"))
FOR_CUSTOMER = calls(BOOK.format(1, ", customer_id => %(customer)s"), "owner")
HELD = calls(BOOK.format(2, ", hold_id => %(hold_id)s"))
HOLD, HOLD_2 = (calls(f"select events.hold_seats(event_id => %(event_id)s, seats => {seats})") for seats in (1, 2))
DESK_HOLD = calls("select events.hold_seats(event_id => %(event_id)s, customer_id => %(customer)s)", "owner")
JOIN = calls("select events.join_waitlist(event_id => %(event_id)s)")
JOIN_FOR_CUSTOMER = calls("select events.join_waitlist(event_id => %(event_id)s, customer_id => %(customer)s)", "owner")
ACCEPT = calls("select events.accept_offer(entry_id => %(entry_id)s, idempotency_key => 'tap')")
PAID_ACCEPT = calls(
    "select events.accept_offer(entry_id => %(entry_id)s, payment_method => 'wallet', idempotency_key => 'tap')"
)
DECLINE = calls("select events.decline_offer(entry_id => %(entry_id)s)")
LEAVE = calls("select events.leave_waitlist(event_id => %(event_id)s)")
CANCEL = calls("select events.cancel_booking(booking_id => %(booking_id)s)")
RETURN = "select events.return_seats(booking_id => %(booking_id)s, seats => 1)"
MOVE = (
    "select events.move_booking(booking_id => %(booking_id)s, event_id => %(other_event_id)s, idempotency_key => 'm')"
)
NAME = calls("select events.set_booking_names(booking_id => %(booking_id)s, names => array['Ana', 'Ben'])")
LINK = calls(
    "select events.create_access_link(event_id => %(event_id)s, secret_hash => sha256('a'), code_hash => sha256('b'))"
    " - array['id', 'created_at', 'event_id']",
    "owner",
)
EXCUSE = calls("select events.excuse_no_show(booking_id => %(booking_id)s)", "owner")
CHANGE = "select events.change_payment_method(booking_id => %(booking_id)s, payment_method => 'wallet')"
RELEASE = calls("select events.release_hold(hold_id => %(hold_id)s)")
ATTEND = calls("select events.record_attendance(booking_id => %(booking_id)s, attended => true)", "owner")
CANCEL_EVENT = calls("select events.cancel_event(event_id => %(event_id)s)", "owner")
UPDATE = calls("""select events.update_event(event_id => %(event_id)s, changes => '{"title": "Other"}')""", "owner")
SHRINK = calls("""select events.update_event(event_id => %(event_id)s, changes => '{"capacity": 1}')""", "owner")
PROMOTE = calls("select events.promote_waitlist(event_id => %(event_id)s)", "owner")
ERASE = calls("select users.erase_profile(user_id => %(customer)s)")

PRICED = runs("update events.events set price_cents = 9900 where id = %(event_id)s")
OTHER_PRICE = runs("update events.events set price_cents = 2000 where id = %(event_id)s")
PRIVATE = runs("update events.events set visibility = 'private' where id = %(event_id)s")
MOVED = runs(
    "update events.events set starts_at = starts_at + interval '9 days', ends_at = ends_at + interval '9 days'"
    " where id = %(event_id)s"
)
CANCELLED = runs("select events.cancel_events(array[%(event_id)s]::uuid[], 'No hall.')")
COMPLETED = runs("update events.events set status = 'completed' where id = %(event_id)s")
CLOSED = runs(
    """update events.events set policy = policy || '{"closes_minutes_before": 20000}' where id = %(event_id)s"""
)
OTHER_POLICY = runs("""update events.events set policy = policy || '{"late_fee_cents": 1}' where id = %(event_id)s""")
AT_MOST_ONE = runs(
    """update events.events set policy = policy || '{"seats_max_per_person": 1}' where id = %(event_id)s"""
)
ERASED = calls("select users.erase_profile(user_id => %(customer)s)", "customer")
DISMISSED = rivals.DISMISSED
NO_LAST_OFFER = runs(
    "update events.terms set last_offer_at = now() - interval '1 minute' where event_id = %(event_id)s"
)
CANCELLED_BY_RIVAL = calls("select events.cancel_booking(booking_id => %(booking_id)s)", "owner")
ATTENDED = runs("update events.bookings set status = 'attended' where id = %(booking_id)s")
SEAT_RETURNED = calls("select events.return_seats(booking_id => %(booking_id)s, seats => 1)", "owner")
OTHER_FULL = runs("update events.inventory set capacity = 0 where event_id = %(other_event_id)s")
LESS_ROOM = runs("update events.inventory set capacity = 4 where event_id = %(event_id)s")
BEGUN = runs("update events.events set starts_at = now() - interval '1 minute' where id = %(event_id)s")


def others(query: str) -> rivals.Change:
    """Return a change by another customer of the organization."""
    return lambda connection, scene: routines.call(connection, scene.more["other"], query, scene.names())


OTHER_JOINS = others("select events.join_waitlist(event_id => %(event_id)s, seats => 3)")
OTHER_FILLS = others("select events.book(event_id => %(event_id)s, seats => 2, idempotency_key => 'other')")
OTHER_BOOKS = others("select events.book(event_id => %(event_id)s, seats => 3, idempotency_key => 'other')")
OTHER_BOOKS_ALL = others("select events.book(event_id => %(event_id)s, seats => 4, idempotency_key => 'other')")
OWN_BOOKING = calls("select events.book(event_id => %(event_id)s, idempotency_key => 'other')")
OWN_GUESTS = calls(
    "select events.book(event_id => %(event_id)s, seats => 2, guest => true, idempotency_key => 'other')"
)
OWN_HOLD = calls("select events.hold_seats(event_id => %(event_id)s, seats => 3)")
SAME_KEY = calls(BOOK.format(2, ""))
OTHER_CANCELS = calls("select events.cancel_booking(booking_id => %(other_booking_id)s)", "third")


def sets_aside(seats: int) -> rivals.Change:
    """Return a change that sells the last two seats, adds a group to the waitlist, and sets seats aside for it.

    These are the seats of a booking that is cancelled. The group needs more, so it has no offer.
    """
    join = calls(f"select events.join_waitlist(event_id => %(event_id)s, seats => {seats})", "fourth")

    def change(connection: rivals.Connection, scene: Scene) -> None:
        for step in (OTHER_FILLS, join, OTHER_CANCELS):
            step(connection, scene)
            connection.execute("reset role")

    return change


def holds_before_the_price_is_raised(connection: rivals.Connection, scene: Scene) -> None:
    """Hold seats for the customer, then raise the price."""
    OWN_HOLD(connection, scene)
    connection.execute("reset role")
    OTHER_PRICE(connection, scene)


def free(db, **event) -> Scene:
    """Return a free event of four seats, a customer and another one."""
    scene = rivals.empty_scene(db, **event)
    scene.more["other"] = scene.stage.customer()
    return scene


def few(db) -> Scene:
    """Return `free`, where one person may have three seats."""
    return free(db, policy={**stages.POLICY, "seats_max_per_person": 3})


def priced(db) -> Scene:
    """Return `free`, for 10.00, with 100.00 in the customer's wallet."""
    scene = free(db, price_cents=1000)
    db.execute(
        "insert into organizations.payout_settings (organization_id) values (%s) on conflict do nothing",
        [scene.stage.organization_id],
    )
    give_credits(scene)
    return scene


def give_credits(scene: Scene) -> None:
    """Add 100.00 to the customer's wallet."""
    query = (
        "select payments.grant_credits(organization_id => %(organization_id)s, customer_id => %(customer)s,"
        " kind => 'wallet', amount => 10000, currency => 'CHF', idempotency_key => 'grant')"
    )
    routines.call(scene.db, scene.stage.owner, query, scene.names())


def held_for_money(db) -> Scene:
    """Return `priced`, with a seat that the customer holds."""
    scene = priced(db)
    routines.call(db, scene.customer, "select events.hold_seats(event_id => %(event_id)s)", scene.names())
    return scene


def full(db, seats: int = 4) -> Scene:
    """Return `free`, with some seats booked by a third customer."""
    scene = free(db)
    scene.more["third"] = scene.stage.customer()
    scene.more["fourth"] = scene.stage.customer()
    scene.more["other_booking_id"] = routines.book(db, scene.event_id, scene.more["third"], seats)["id"]
    return scene


def booked(db) -> Scene:
    """Return `free`, with a booking of the customer."""
    scene = free(db)
    scene.more["booking_id"] = routines.book(db, scene.event_id, scene.customer, 2)["id"]
    return scene


def movable(db) -> Scene:
    """Return `booked`, with another free event of the organization."""
    scene = booked(db)
    scene.more["other_event_id"] = scene.stage.event()
    return scene


def missed(db) -> Scene:
    """Return `soon`, where the customer did not come."""
    scene = soon(db)
    db.execute("update events.bookings set status = 'no_show' where id = %s", [scene.more["booking_id"]])
    return scene


def soon(db) -> Scene:
    """Return `booked`, for an event that starts in ten minutes."""
    scene = free(db, starts_in="10 minutes")
    scene.more["booking_id"] = routines.book(db, scene.event_id, scene.customer)["id"]
    return scene


def held(db) -> Scene:
    """Return `free`, with two seats that the customer holds."""
    scene = free(db)
    query = "select events.hold_seats(event_id => %(event_id)s, seats => 2)"
    scene.more["hold_id"] = routines.call(db, scene.customer, query, scene.names())["id"]
    return scene


def waiting(db, seats: int = 1) -> Scene:
    """Return `full`, with the customer on the waitlist."""
    scene = full(db)
    query = f"select events.join_waitlist(event_id => %(event_id)s, seats => {seats})"
    scene.more["entry_id"] = routines.call(db, scene.customer, query, scene.names())["id"]
    return scene


def offer(scene: Scene) -> Scene:
    """Add three seats to the event, of which one is offered to the customer, and two are on sale."""
    scene.db.execute("update events.inventory set capacity = 7 where event_id = %s", [scene.event_id])
    scene.db.execute("select events.offer_seats(%s)", [scene.event_id])
    return scene


def offered(db) -> Scene:
    """Return `waiting`, with an offer of one seat to the customer, and two free seats."""
    return offer(waiting(db))


def offered_for_money(db) -> Scene:
    """Return `offered`, for 10.00, with 100.00 in the customer's wallet."""
    scene = waiting(db)
    db.execute("update events.events set price_cents = 1000 where id = %s", [scene.event_id])
    give_credits(scene)
    return offer(scene)


def unpaid(db) -> Scene:
    """Return `priced`, with a booking by card that is not paid."""
    scene = priced(db)
    made = routines.call(db, scene.customer, BOOK.format(1, ", payment_method => 'card'"), scene.names())
    scene.more["booking_id"] = json.loads(made)["id"]
    return scene


def closing(db) -> Scene:
    """Return `waiting` for three seats, with one set aside: only after the last offer anyone may hold it."""
    scene = waiting(db, 3)
    scene.customer = scene.stage.customer()
    db.execute("update events.inventory set capacity = 5, set_aside = 1 where event_id = %s", [scene.event_id])
    return scene


def roomy(db) -> Scene:
    """Return `waiting`, with room for the customer that nobody has offered yet."""
    scene = waiting(db)
    db.execute("update events.inventory set capacity = 6 where event_id = %s", [scene.event_id])
    return scene


CASES = {
    "fast: the price is raised": Case("events.book", FAST, PRICED, free),
    "fast: the event becomes private": Case("events.book", FAST, PRIVATE, free),
    "fast: the sales are closed": Case("events.book", FAST, CLOSED, free),
    "fast: the event is cancelled": Case("events.book", FAST, CANCELLED, free),
    "fast: the event is completed": Case("events.book", FAST, COMPLETED, free),
    "fast: the policy changes": Case("events.book", FAST, OTHER_POLICY, free),
    "fast: the maximum per person is lowered": Case("events.book", FAST_3, AT_MOST_ONE, free),
    "fast: the free seats are set aside": Case("events.book", FAST, sets_aside(3), lambda db: full(db, 2)),
    "fast: the seats are sold": Case("events.book", FAST, OTHER_BOOKS_ALL, free),
    "fast: the customer is erased": Case("events.book", FAST, ERASED, free, lock="person"),
    "fast: the customer holds seats": Case("events.book", FAST_3, OWN_HOLD, few, lock="nothing"),
    "fast: the customer books": Case("events.book", FAST, OWN_BOOKING, free, lock="nothing"),
    "fast: the customer books for guests": Case("events.book", FAST_3, OWN_GUESTS, few, lock="nothing"),
    "fast: the key is used": Case("events.book", FAST, SAME_KEY, free, lock="nothing"),
    "general: the price is raised": Case("events.book", GENERAL, PRICED, free),
    "general: the price of a wallet booking is raised": Case("events.book", WALLET, OTHER_PRICE, priced),
    "general: the price of a card booking is raised": Case("events.book", CARD, OTHER_PRICE, priced),
    "general: the event becomes private": Case("events.book", GENERAL, PRIVATE, free),
    "general: the sales are closed": Case("events.book", GENERAL, CLOSED, free),
    "general: the event is cancelled": Case("events.book", GENERAL, CANCELLED, free),
    "general: the policy changes": Case("events.book", GENERAL, OTHER_POLICY, free),
    "general: the maximum per person is lowered": Case("events.book", GENERAL_3, AT_MOST_ONE, free),
    "general: the free seats are set aside": Case("events.book", GENERAL, sets_aside(3), lambda db: full(db, 2)),
    "general: the seats beyond an offer are set aside": Case("events.book", GENERAL_2, sets_aside(5), offered),
    "general: the seats are sold": Case("events.book", GENERAL_2, OTHER_BOOKS, free),
    "general: seats become free": Case("events.book", GENERAL, OTHER_CANCELS, full),
    "general: the customer is erased": Case("events.book", GENERAL, ERASED, free, lock="person"),
    "general: the customer holds seats": Case("events.book", GENERAL_3, OWN_HOLD, few, lock="nothing"),
    "general: the customer holds seats before the price is raised": Case(
        "events.book", WALLET_FOR_10, holds_before_the_price_is_raised, priced, lock="nothing"
    ),
    "general: the customer books": Case("events.book", GENERAL, OWN_BOOKING, free, lock="nothing"),
    "general: the price is raised while the person is locked": Case("events.book", GENERAL, PRICED, free, "person"),
    "general: the hold is released": Case("events.book", HELD, RELEASE, held, lock="nothing"),
    "for a customer: the customer is erased": Case("events.book", FOR_CUSTOMER, ERASED, free, lock="person"),
    "for a customer: the staff member leaves": Case("events.book", FOR_CUSTOMER, DISMISSED, free, lock="person"),
    "hold: the event becomes private": Case("events.hold_seats", HOLD, PRIVATE, free),
    "hold: the sales are closed": Case("events.hold_seats", HOLD, CLOSED, free),
    "hold: the event is cancelled": Case("events.hold_seats", HOLD, CANCELLED, free),
    "hold: the maximum per person is lowered": Case("events.hold_seats", HOLD_2, AT_MOST_ONE, free),
    "hold: the free seats are set aside": Case("events.hold_seats", HOLD, sets_aside(3), lambda db: full(db, 2)),
    "hold: the last offer is past": Case("events.hold_seats", HOLD, NO_LAST_OFFER, closing),
    "hold: the seats are sold": Case("events.hold_seats", HOLD_2, OTHER_BOOKS, free),
    "hold: the customer is erased": Case("events.hold_seats", HOLD, ERASED, free, lock="person"),
    "hold: the customer books for guests": Case("events.hold_seats", HOLD_2, OWN_GUESTS, few, lock="nothing"),
    "for a customer: the staff member leaves at the event": Case("events.book", FOR_CUSTOMER, DISMISSED, free),
    "hold: the staff member leaves at the event": Case("events.hold_seats", DESK_HOLD, DISMISSED, free),
    "join: the staff member leaves at the event": Case("events.join_waitlist", JOIN_FOR_CUSTOMER, DISMISSED, full),
    "hold: the staff member leaves": Case("events.hold_seats", DESK_HOLD, DISMISSED, free, lock="person"),
    "join: the event becomes private": Case("events.join_waitlist", JOIN, PRIVATE, full),
    "join: the event is cancelled": Case("events.join_waitlist", JOIN, CANCELLED, full),
    "join: the last offer is past": Case("events.join_waitlist", JOIN, NO_LAST_OFFER, full),
    "join: the maximum per person is lowered": Case(
        "events.join_waitlist", calls("select events.join_waitlist(%(event_id)s, 2)"), AT_MOST_ONE, full
    ),
    "join: seats become free": Case("events.join_waitlist", JOIN, OTHER_CANCELS, full),
    "join: the customer is erased": Case("events.join_waitlist", JOIN, ERASED, full, lock="person"),
    "accept: the offer is declined": Case("events.accept_offer", ACCEPT, DECLINE, offered, lock="nothing"),
    "accept: the event is cancelled": Case("events.accept_offer", ACCEPT, CANCELLED, offered),
    "accept: the customer is erased": Case("events.accept_offer", ACCEPT, ERASED, offered, lock="person"),
    "accept: the policy changes": Case("events.accept_offer", ACCEPT, OTHER_POLICY, offered),
    "decline: the offer is accepted": Case("events.decline_offer", DECLINE, ACCEPT, offered, lock="nothing"),
    "leave: the offer is accepted": Case("events.leave_waitlist", LEAVE, ACCEPT, offered, lock="nothing"),
    "cancel: the event is moved": Case("events.cancel_booking", CANCEL, MOVED, soon),
    "cancel: attendance is recorded": Case("events.cancel_booking", CANCEL, ATTENDED, soon),
    "return: the booking is cancelled": Case("events.return_seats", calls(RETURN), CANCELLED_BY_RIVAL, booked),
    "return: the event has begun": Case("events.return_seats", calls(RETURN), BEGUN, booked),
    "return: the customer is erased": Case("events.return_seats", calls(RETURN), ERASED, booked),
    "return: the staff member leaves": Case("events.return_seats", calls(RETURN, "owner"), DISMISSED, booked),
    "move: the booking is cancelled": Case("events.move_booking", calls(MOVE), CANCELLED_BY_RIVAL, movable),
    "move: the event has begun": Case("events.move_booking", calls(MOVE), BEGUN, movable),
    "move: the other event is full": Case("events.move_booking", calls(MOVE), OTHER_FULL, movable),
    "move: the customer is erased": Case("events.move_booking", calls(MOVE), ERASED, movable, "person"),
    "move: the staff member leaves": Case("events.move_booking", calls(MOVE, "owner"), DISMISSED, movable),
    "names: seats are given back": Case("events.set_booking_names", NAME, SEAT_RETURNED, booked),
    "names: the customer is erased": Case("events.set_booking_names", NAME, ERASED, booked),
    "link: the staff member leaves": Case("events.create_access_link", LINK, DISMISSED, booked),
    "excuse: the customer came": Case("events.excuse_no_show", EXCUSE, ATTENDED, missed),
    "excuse: the staff member leaves": Case("events.excuse_no_show", EXCUSE, DISMISSED, missed),
    "method: the booking is cancelled": Case("events.change_payment_method", calls(CHANGE), CANCELLED_BY_RIVAL, unpaid),
    "method: the customer is erased": Case("events.change_payment_method", calls(CHANGE), ERASED, unpaid, "person"),
    "method: the staff member leaves": Case(
        "events.change_payment_method", calls(CHANGE, "owner"), DISMISSED, unpaid, "person"
    ),
    "release: the hold is booked": Case("events.release_hold", RELEASE, HELD, held, lock="nothing"),
    "attendance: the event is moved": Case("events.record_attendance", ATTEND, MOVED, soon),
    "attendance: the booking is cancelled": Case("events.record_attendance", ATTEND, CANCELLED_BY_RIVAL, soon),
    "attendance: the staff member leaves": Case("events.record_attendance", ATTEND, DISMISSED, soon),
    "cancel event: it is completed": Case("events.cancel_event", CANCEL_EVENT, COMPLETED, booked),
    "update event: it has begun": Case("events.update_event", UPDATE, BEGUN, booked),
    "update event: it is cancelled": Case("events.update_event", UPDATE, CANCELLED, booked),
    "capacity: seats are sold": Case("events.set_capacities", SHRINK, OTHER_BOOKS, free),
    "promote: the capacity is lowered": Case("events.promote_waitlist", PROMOTE, LESS_ROOM, roomy),
    "cancel: the customer is erased": Case("events.cancel_booking", CANCEL, ERASED, booked),
    "cancel: the staff member leaves": Case("events.cancel_booking", CANCELLED_BY_RIVAL, DISMISSED, booked),
    "release: the customer is erased": Case("events.release_hold", RELEASE, ERASED, held),
    "decline: the customer is erased": Case("events.decline_offer", DECLINE, ERASED, offered),
    "cancel event: the staff member leaves": Case("events.cancel_event", CANCEL_EVENT, DISMISSED, booked),
    "update event: the staff member leaves": Case("events.update_event", UPDATE, DISMISSED, booked),
    "promote: the staff member leaves": Case("events.promote_waitlist", PROMOTE, DISMISSED, roomy),
    "calendar address: the customer is erased": Case(
        "users.create_calendar_address",
        calls("select users.create_calendar_address(secret_hash => sha256('secret'))"),
        ERASED,
        free,
        "person",
        look="select count(*) as value from users.calendar_addresses",
    ),
    "erase: the customer books": Case("users.erase_profile", ERASE, OWN_BOOKING, free, lock="nothing"),
    "erase: the customer holds seats": Case("users.erase_profile", ERASE, OWN_HOLD, free, lock="nothing"),
}


@pytest.mark.parametrize("name", CASES)
def test_routine_that_waited_decides_by_the_changed_facts(db, connect, name):
    found = rivals.try_case(connect, db, CASES[name])

    assert found["after"] != found["undisturbed"], "the rival's change must matter"
    assert found["waiting"] == found["after"]


UNAFFECTED = {
    "fast: another joins the waitlist": Case("events.book", FAST, OTHER_JOINS, lambda db: full(db, 2)),
    "general: another joins the waitlist": Case("events.book", GENERAL, OTHER_JOINS, lambda db: full(db, 2)),
    "general: another joins behind an offer": Case("events.book", GENERAL_2, OTHER_JOINS, offered),
    "general: the price of a held seat is raised": Case("events.book", WALLET, OTHER_PRICE, held_for_money),
    "hold: another joins the waitlist": Case("events.hold_seats", HOLD, OTHER_JOINS, lambda db: full(db, 2)),
    "accept: the price of an offered seat is raised": Case(
        "events.accept_offer", PAID_ACCEPT, OTHER_PRICE, offered_for_money
    ),
}
"""Changes that must not matter: free seats stay on sale while others wait, and reserved seats keep their price."""


@pytest.mark.parametrize("name", UNAFFECTED)
def test_reserved_and_free_seats_are_not_affected_by_a_rival(db, connect, name):
    found = rivals.try_case(connect, db, UNAFFECTED[name])

    assert found["undisturbed"]["result"] == "done"
    assert found["waiting"] == found["after"] == found["undisturbed"]
