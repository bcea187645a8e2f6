"""The waitlist through its doorway: strictly first come, first served, one seat to one person."""

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


both_ways = pytest.mark.parametrize("key", ["tap", None], ids=["the short way", "the longer way"])


def full_event(db, stage, capacity=1, **columns):
    """An event that is sold out, and its bookings by customer."""
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


def lapse(db):
    """Time passes: every offer that is open has run out; the schedule runs."""
    db.execute("update events.holds set expires_at = now() - interval '1 second' where status = 'active'")
    gateway.invoke("waitlist", {"job": "promote_waitlist"})


def inventory(db, event_id):
    query = "select taken, held, waitlisted from events.inventory where event_id = %s"
    return tuple(db.execute(query, [event_id]).fetchone().values())


def test_a_freed_seat_is_offered_in_the_same_moment_to_the_first_and_nobody_else(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben = stage.customers(2)
    positions = [join(event_id, who).body["position"] for who in (ana, ben)]

    cancel_one(bookings)

    assert positions == [1, 2]
    assert (place(event_id, ana)["status"], place(event_id, ben)["status"]) == ("offered", "waiting")
    assert place(event_id, ben)["position"] == 1
    assert inventory(db, event_id) == (0, 1, 1)


def test_the_seats_of_a_hold_that_is_let_go_are_offered_in_the_same_moment(db, stage):
    event_id = stage.event(capacity=1)
    holder, ana = stage.customers(2)
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=holder)
    join(event_id, ana)

    assert gateway.delete("book", f"/holds/{hold.body['id']}", caller=holder).status == 200

    assert place(event_id, ana)["status"] == "offered"
    assert inventory(db, event_id) == (0, 1, 0)


def test_deleting_a_customers_rows_keeps_the_counters_right(db, stage):
    event_id, _ = full_event(db, stage)
    open_event = stage.event(capacity=3)
    ana = stage.customer()
    join(event_id, ana)
    gateway.post("book", "/holds", {"event_id": str(open_event), "seats": 2}, caller=ana)
    assert (inventory(db, event_id), inventory(db, open_event)) == ((1, 0, 1), (0, 2, 0))

    db.execute("delete from events.waitlist_entries where customer_id = %s", [ana])
    db.execute("delete from events.holds where customer_id = %s", [ana])

    assert (inventory(db, event_id), inventory(db, open_event)) == ((1, 0, 0), (0, 0, 0))


def test_a_promoted_customers_hold_really_reserves(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    rival = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=stage.customer())

    assert rival.body["code"] == "sold_out"
    assert accept(place(event_id, ana), ana).body["status"] == "accepted"
    assert inventory(db, event_id) == (1, 0, 0)


def test_the_hold_of_an_offer_is_let_go_by_declining_only(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)
    hold_id = db.execute("select id from events.holds where status = 'active'").fetchone()["id"]

    answer = gateway.delete("book", f"/holds/{hold_id}", caller=ana)

    assert (answer.status, answer.body["code"]) == (404, "hold_not_found")
    assert (place(event_id, ana)["status"], inventory(db, event_id)) == ("offered", (0, 1, 0))


def test_accepting_twice_answers_the_same_and_books_once(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    entry = join(event_id, ana).body
    cancel_one(bookings)

    first, second = accept(entry, ana), accept(entry, ana)

    assert first.text == second.text
    assert db.execute("select count(*) as n from events.bookings where customer_id = %s", [ana]).fetchone()["n"] == 1


@both_ways
def test_booking_while_an_offer_is_open_takes_the_offer(db, stage, key):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    booking = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=ana, key=key)

    assert booking.status == 201
    assert (place(event_id, ana)["status"], place(event_id, ana)["booking_id"]) == ("accepted", booking.body["id"])
    assert inventory(db, event_id) == (1, 0, 0)


def test_nobody_overtakes_whoever_wants_more_seats_than_are_free(db, stage):
    event_id, bookings = full_event(db, stage, capacity=3)
    pair, single = stage.customers(2)
    join(event_id, pair, seats=2)
    join(event_id, single)

    cancel_one(bookings, 0)
    assert (place(event_id, pair)["status"], place(event_id, single)["status"]) == ("waiting", "waiting")
    cancel_one(bookings, 1)

    assert (place(event_id, pair)["status"], place(event_id, single)["status"]) == ("offered", "waiting")


@both_ways
def test_newcomers_do_not_pass_those_who_wait(db, stage, key):
    event_id, bookings = full_event(db, stage, capacity=2)
    join(event_id, stage.customer(), seats=2)
    cancel_one(bookings)

    booking = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=stage.customer(), key=key)
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())

    assert (booking.status, booking.body["code"]) == (409, "sold_out")
    assert (hold.status, hold.body["code"]) == (409, "sold_out")


def test_who_comes_while_others_wait_may_wait_behind_them(db, stage):
    event_id, bookings = full_event(db, stage, capacity=2)
    join(event_id, stage.customer(), seats=2)
    cancel_one(bookings)

    entry = join(event_id, stage.customer())

    assert (entry.status, entry.body["status"], entry.body["position"]) == (201, "waiting", 2)


def test_nobody_begins_to_wait_when_nothing_will_be_offered_any_more(db, stage):
    event_id, _ = full_event(db, stage, starts_in="30 minutes")

    answer = join(event_id, stage.customer())

    assert (answer.status, answer.body["code"]) == (409, "waitlist_closed")
    assert inventory(db, event_id) == (1, 0, 0)


def test_an_unanswered_offer_goes_to_the_next_and_whoever_let_it_lapse_to_the_end(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben, chloe = stage.customers(3)
    for who in (ana, ben, chloe):
        join(event_id, who)
    cancel_one(bookings)

    lapse(db)

    assert [place(event_id, who)["status"] for who in (ana, ben, chloe)] == ["waiting", "offered", "waiting"]
    assert place(event_id, chloe)["position"] == 1
    assert place(event_id, ana)["position"] == 2
    assert inventory(db, event_id) == (0, 1, 2)


def test_a_lapsed_offer_is_not_taken_though_no_schedule_has_run_yet(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)
    entry = place(event_id, ana)
    db.execute("update events.holds set expires_at = now() - interval '1 second' where status = 'active'")

    answer = accept(entry, ana)

    assert (answer.status, answer.body["code"]) == (409, "hold_expired")


def test_an_unresponsive_person_is_not_offered_the_seat_again_and_again(db, stage):
    event_id, bookings = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    cancel_one(bookings)

    for _ in range(4):
        lapse(db)

    assert place(event_id, ana)["status"] == "expired"
    offers = db.execute("select count(*) as n from public.outbox where topic = 'waitlist.offered'").fetchone()["n"]
    assert offers == 2
    assert inventory(db, event_id) == (0, 0, 0)


def test_the_counter_goes_down_when_people_leave(db, stage):
    event_id, _ = full_event(db, stage)
    ana, ben = stage.customers(2)
    for who in (ana, ben):
        join(event_id, who)

    answers = [gateway.delete("waitlist", f"/events/{event_id}/waitlist", caller=ana) for _ in range(2)]

    assert [(answer.status, answer.body["status"]) for answer in answers] == [(200, "left")] * 2
    assert inventory(db, event_id) == (1, 0, 1)
    assert place(event_id, ben)["position"] == 1


def test_a_declined_offer_goes_to_the_next_at_once(db, stage):
    event_id, bookings = full_event(db, stage)
    ana, ben = stage.customers(2)
    entry = join(event_id, ana).body
    join(event_id, ben)
    cancel_one(bookings)

    declined = gateway.post("waitlist", f"/waitlist/{entry['id']}/decline", caller=ana)

    assert declined.body["status"] == "left"
    assert place(event_id, ben)["status"] == "offered"


def test_joining_twice_answers_the_first_entry(db, stage):
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
def test_refuses_to_let_wait(db, stage, columns, book_first, body, code):
    event_id, ana = stage.event(**columns), stage.customer()
    if book_first:
        routines.book(db, event_id, ana)

    answer = join(event_id, ana, **body)

    assert (answer.status, answer.body["code"]) == (409, code)


def test_no_offers_in_the_last_hour_and_then_the_first_to_come_may_book(db, stage):
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


def test_the_schedule_passes_over_an_event_that_somebody_is_busy_with(db, stage, connect):
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


def test_holds_end_with_their_event(db, stage):
    event_id = stage.event(capacity=2)
    gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())

    assert gateway.post("manage-events", f"/events/{event_id}/cancel", {}, caller=stage.owner).status == 200

    assert inventory(db, event_id) == (0, 0, 0)
    assert db.execute("select status from events.holds").fetchone()["status"] == "released"


def test_waits_end_when_the_event_begins(db, stage):
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


def test_staff_see_the_list_in_order_and_may_push_it(db, stage):
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


def test_the_list_is_for_staff(db, stage):
    event_id, _ = full_event(db, stage)

    answers = [
        gateway.get("waitlist", f"/events/{event_id}/waitlist/entries", caller=stage.customer()),
        gateway.post("waitlist", f"/events/{event_id}/waitlist/promote", caller=stage.member("viewer")),
    ]

    assert [answer.status for answer in answers] == [403, 403]


def test_somebody_elses_offer_is_not_found(db, stage):
    event_id, bookings = full_event(db, stage)
    entry = join(event_id, stage.customer()).body
    cancel_one(bookings)

    assert accept(entry, stage.customer()).status == 404


def test_the_schedule_offers_what_became_free_by_other_ways(db, stage):
    event_id, _ = full_event(db, stage)
    ana = stage.customer()
    join(event_id, ana)
    db.execute("update events.inventory set capacity = 2 where event_id = %s", [event_id])

    ran = gateway.invoke("waitlist", {"job": "promote_waitlist"})

    assert ran["done"] == 1
    assert place(event_id, ana)["status"] == "offered"
