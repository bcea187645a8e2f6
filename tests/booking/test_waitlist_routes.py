"""Test the waitlist routes: a strict first-come-first-served order, and one offer for each free seat."""

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


both_paths = pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])


def full_event(db, stage, capacity=1, **columns):
    """Create a sold-out event. Return its id and its bookings by customer."""
    event_id = stage.event(capacity=capacity, **columns)
    return event_id, {who: routines.book(db, event_id, who)["id"] for who in stage.customers(capacity)}


def join(event_id, who, **body):
    return gateway.post("waitlist", f"/events/{event_id}/waitlist", body, caller=who)


def place(event_id, who):
    return gateway.get("waitlist", f"/events/{event_id}/waitlist", caller=who).body


def accept(entry, who):
    return gateway.post("waitlist", f"/waitlist/{entry['id']}/accept", caller=who)


def cancel_one(bookings, number=0):
    who, booking_id = list(bookings.items())[number]
    assert gateway.post("cancel", f"/bookings/{booking_id}/cancel", caller=who).status == 200


def expire_offers(db):
    """Expire all open offers and run the schedule."""
    db.execute("update events.holds set expires_at = now() - interval '1 second' where status = 'active'")
    gateway.invoke("waitlist", {"job": "promote_waitlist"})


def inventory(db, event_id):
    query = "select taken, held, waitlisted from events.inventory where event_id = %s"
    return tuple(db.execute(query, [event_id]).fetchone().values())


def test_freed_seat_is_offered_at_once_to_the_first_entry_only(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben = stage.customers(2)
    positions = [join(event_id, who).body["position"] for who in (ana, ben)]

    cancel_one(bookings)

    assert positions == [1, 2]
    assert (place(event_id, ana)["status"], place(event_id, ben)["status"]) == ("offered", "waiting")
    assert place(event_id, ben)["position"] == 1
    assert inventory(db, event_id) == (0, 1, 1)


def test_seats_of_a_released_hold_are_offered_at_once(db, stage):
    event_id = stage.event(capacity=1)
    holder, ana = stage.customers(2)
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=holder)
    join(event_id, ana)

    assert gateway.delete("book", f"/holds/{hold.body['id']}", caller=holder).status == 200

    assert place(event_id, ana)["status"] == "offered"
    assert inventory(db, event_id) == (0, 1, 0)


def test_deleting_a_customers_rows_lowers_the_counters(db, stage):
    event_id, _ = full_event(db, stage)
    open_event = stage.event(capacity=3)
    ana = stage.customer()
    join(event_id, ana)
    gateway.post("book", "/holds", {"event_id": str(open_event), "seats": 2}, caller=ana)
    assert (inventory(db, event_id), inventory(db, open_event)) == ((1, 0, 1), (0, 2, 0))

    db.execute("delete from events.waitlist_entries where customer_id = %s", [ana])
    db.execute("delete from events.holds where customer_id = %s", [ana])

    assert (inventory(db, event_id), inventory(db, open_event)) == ((1, 0, 0), (0, 0, 0))


def test_waitlist_offer_reserves_its_seats(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    rival = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=stage.customer())

    assert rival.body["code"] == "sold_out"
    assert accept(place(event_id, ana), ana).body["status"] == "accepted"
    assert inventory(db, event_id) == (1, 0, 0)


def test_hold_of_an_offer_cannot_be_released_directly(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)
    hold_id = db.execute("select id from events.holds where status = 'active'").fetchone()["id"]

    answer = gateway.delete("book", f"/holds/{hold_id}", caller=ana)

    assert (answer.status, answer.body["code"]) == (404, "hold_not_found")
    assert (place(event_id, ana)["status"], inventory(db, event_id)) == ("offered", (0, 1, 0))


def test_second_acceptance_returns_the_first_response_and_books_once(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    entry = join(event_id, ana).body
    cancel_one(bookings)

    first, second = accept(entry, ana), accept(entry, ana)

    assert first.text == second.text
    assert db.execute("select count(*) as n from events.bookings where customer_id = %s", [ana]).fetchone()["n"] == 1


@both_paths
def test_booking_accepts_the_callers_open_offer(db, stage, key):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    booking = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=ana, key=key)

    assert booking.status == 201
    assert (place(event_id, ana)["status"], place(event_id, ana)["booking_id"]) == ("accepted", booking.body["id"])
    assert inventory(db, event_id) == (1, 0, 0)


def test_first_entry_is_not_overtaken_while_it_waits_for_more_seats(db, stage):
    event_id, bookings = full_event(db, stage, capacity=3)
    pair, single = stage.customers(2)
    join(event_id, pair, seats=2)
    join(event_id, single)

    cancel_one(bookings, 0)
    assert (place(event_id, pair)["status"], place(event_id, single)["status"]) == ("waiting", "waiting")
    cancel_one(bookings, 1)

    assert (place(event_id, pair)["status"], place(event_id, single)["status"]) == ("offered", "waiting")


@both_paths
def test_free_seat_reserved_for_the_waitlist_cannot_be_booked_or_held(db, stage, key):
    event_id, bookings = full_event(db, stage, capacity=2)
    join(event_id, stage.customer(), seats=2)
    cancel_one(bookings)

    booking = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=stage.customer(), key=key)
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())

    assert (booking.status, booking.body["code"]) == (409, "sold_out")
    assert (hold.status, hold.body["code"]) == (409, "sold_out")


def test_newcomer_can_join_the_waitlist_while_a_reserved_seat_is_free(db, stage):
    event_id, bookings = full_event(db, stage, capacity=2)
    join(event_id, stage.customer(), seats=2)
    cancel_one(bookings)

    entry = join(event_id, stage.customer())

    assert (entry.status, entry.body["status"], entry.body["position"]) == (201, "waiting", 2)


def test_waitlist_is_closed_when_no_more_offers_will_be_made(db, stage):
    event_id, _ = full_event(db, stage, starts_in="30 minutes")

    answer = join(event_id, stage.customer())

    assert (answer.status, answer.body["code"]) == (409, "waitlist_closed")
    assert inventory(db, event_id) == (1, 0, 0)


def test_expired_offer_passes_to_the_next_entry_and_its_entry_to_the_end(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben, chloe = stage.customers(3)
    for who in (ana, ben, chloe):
        join(event_id, who)
    cancel_one(bookings)

    expire_offers(db)

    assert [place(event_id, who)["status"] for who in (ana, ben, chloe)] == ["waiting", "offered", "waiting"]
    assert place(event_id, chloe)["position"] == 1
    assert place(event_id, ana)["position"] == 2
    assert inventory(db, event_id) == (0, 1, 2)


def test_expired_offer_cannot_be_accepted_before_the_schedule_ran(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)
    entry = place(event_id, ana)
    db.execute("update events.holds set expires_at = now() - interval '1 second' where status = 'active'")

    answer = accept(entry, ana)

    assert (answer.status, answer.body["code"]) == (409, "hold_expired")


def test_entry_closes_after_two_expired_offers(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    for _ in range(4):
        expire_offers(db)

    assert place(event_id, ana)["status"] == "expired"
    offers = db.execute("select count(*) as n from public.outbox where topic = 'waitlist.offered'").fetchone()["n"]
    assert offers == 2
    assert inventory(db, event_id) == (0, 0, 0)


def test_leaving_the_waitlist_lowers_its_counter(db, stage):
    event_id, _ = full_event(db, stage)
    ana, ben = stage.customers(2)
    for who in (ana, ben):
        join(event_id, who)

    answers = [gateway.delete("waitlist", f"/events/{event_id}/waitlist", caller=ana) for _ in range(2)]

    assert [(answer.status, answer.body["status"]) for answer in answers] == [(200, "left")] * 2
    assert inventory(db, event_id) == (1, 0, 1)
    assert place(event_id, ben)["position"] == 1


def test_declined_offer_passes_to_the_next_entry_at_once(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben = stage.customers(2)
    entry = join(event_id, ana).body
    join(event_id, ben)
    cancel_one(bookings)

    declined = gateway.post("waitlist", f"/waitlist/{entry['id']}/decline", caller=ana)

    assert declined.body["status"] == "left"
    assert place(event_id, ben)["status"] == "offered"


def test_second_join_returns_the_first_entry(db, stage):
    event_id, _ = full_event(db, stage)
    ana = stage.customer()

    assert join(event_id, ana).text == join(event_id, ana).text
    assert inventory(db, event_id) == (1, 0, 1)


@pytest.mark.parametrize(
    ("columns", "book_first", "body", "code"),
    [
        ({"capacity": 5}, False, {}, "seats_available"),
        ({"capacity": 1}, True, {}, "already_booked"),
        ({"capacity": 1, "starts_in": "30 minutes"}, False, {"seats": 2}, "waitlist_closed"),
        ({"capacity": 1}, False, {"seats": 2}, "waitlist_closed"),
        ({"capacity": 1, "status": "cancelled"}, False, {}, "event_not_bookable"),
        ({"capacity": 1, "starts_in": "-2 hours"}, False, {}, "booking_window_closed"),
    ],
)
def test_invalid_join_is_refused(db, stage, columns, book_first, body, code):
    event_id, ana = stage.event(**columns), stage.customer()
    if book_first:
        routines.book(db, event_id, ana)

    answer = join(event_id, ana, **body)

    assert (answer.status, answer.body["code"]) == (409, code)


def test_no_offer_is_made_in_the_last_hour_and_anyone_can_book(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    db.execute(
        "update events.events set starts_at = now() + interval '50 minutes', ends_at = now() + interval '2 hours' "
        "where id = %s",
        [event_id],
    )

    cancel_one(bookings)

    assert place(event_id, ana)["status"] == "waiting"
    newcomer = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=stage.customer())
    assert newcomer.status == 201


def test_schedule_skips_an_event_with_a_locked_inventory(db, stage, connect):
    events = [stage.event(capacity=1) for _ in range(2)]
    for event_id in events:
        gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())
    db.execute("update events.holds set expires_at = now() - interval '1 second'")
    busy = connect(autocommit=False)
    busy.execute("select events.lock_inventory(%s)", [events[0]])
    db.execute("set lock_timeout = '5s'")

    first = routines.call(db, None, "select events.expire_holds()")
    busy.rollback()
    second = routines.call(db, None, "select events.expire_holds()")

    assert [(run["holds_expired"], run["more"]) for run in (first, second)] == [(1, True), (1, False)]
    assert [inventory(db, event_id) for event_id in events] == [(0, 0, 0)] * 2


def test_holds_are_released_when_their_event_is_cancelled(db, stage):
    event_id = stage.event(capacity=2)
    gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())

    assert gateway.post("manage-events", f"/events/{event_id}/cancel", {}, caller=stage.owner).status == 200

    assert inventory(db, event_id) == (0, 0, 0)
    assert db.execute("select status from events.holds").fetchone()["status"] == "released"


def test_waitlist_entries_expire_when_the_event_starts(db, stage):
    event_id, _ = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    db.execute(
        "update events.events set starts_at = now() - interval '1 minute', ends_at = now() + interval '2 hours' "
        "where id = %s",
        [event_id],
    )

    gateway.invoke("waitlist", {"job": "promote_waitlist"})

    assert place(event_id, ana)["status"] == "expired"
    assert inventory(db, event_id) == (1, 0, 0)


def test_staff_see_the_waitlist_in_order_and_can_promote_it(db, stage):
    event_id, _ = full_event(db, stage)
    people = stage.customers(3)
    for who in people:
        join(event_id, who)
    db.execute("update events.inventory set capacity = 2 where event_id = %s", [event_id])
    desk = stage.member("front_desk")

    listed = gateway.get("waitlist", f"/events/{event_id}/waitlist/entries", caller=desk)
    pushed = gateway.post("waitlist", f"/events/{event_id}/waitlist/promote", caller=desk)

    assert [entry["customer_id"] for entry in listed.body["items"]] == [str(who) for who in people]
    assert [entry["customer_id"] for entry in pushed.body["offered"]] == [str(people[0])]
    assert pushed.body["waiting"] == 2


def test_waitlist_entries_are_forbidden_without_a_staff_role(db, stage):
    event_id, _ = full_event(db, stage)

    answers = [
        gateway.get("waitlist", f"/events/{event_id}/waitlist/entries", caller=stage.customer()),
        gateway.post("waitlist", f"/events/{event_id}/waitlist/promote", caller=stage.member("viewer")),
    ]

    assert [answer.status for answer in answers] == [403, 403]


def test_another_customers_offer_is_not_found(db, stage):
    event_id, bookings = full_event(db, stage)
    entry = join(event_id, stage.customer()).body
    cancel_one(bookings)

    assert accept(entry, stage.customer()).status == 404


def test_schedule_offers_seats_of_a_raised_capacity(db, stage):
    event_id, _ = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    db.execute("update events.inventory set capacity = 2 where event_id = %s", [event_id])

    ran = gateway.invoke("waitlist", {"job": "promote_waitlist"})

    assert ran["done"] == 1
    assert place(event_id, ana)["status"] == "offered"
