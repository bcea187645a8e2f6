"""Waitlist entries reserve only seats that become free after they joined. Seats that were free stay on sale."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.kit import gateway, routines, stages

CANCEL = "select events.cancel_booking(%s)"
HOLD = "select events.hold_seats(event_id => %s, seats => %s)"
JOIN = "select events.join_waitlist(event_id => %s, seats => %s)"
LEAVE = "select events.leave_waitlist(event_id => %s)"
RELEASE = "select events.release_hold(%s)"


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


def book(stage: stages.Stage, event_id: UUID, seats: int = 1) -> tuple[UUID, UUID]:
    """Book as a new customer. Return the customer and the booking."""
    who = stage.customer()
    return who, UUID(routines.book(stage.db, event_id, who, seats)["id"])


def refusal(stage: stages.Stage, caller: UUID, query: str, params: list[Any]) -> tuple[str, dict[str, Any]]:
    """Return the code and the members of a refusal."""
    with pytest.raises(psycopg.Error) as raised:
        routines.call(stage.db, caller, query, params)
    return routines.code_of(raised.value), json.loads(raised.value.diag.message_detail or "{}")


def sold_out(stage: stages.Stage, event_id: UUID, seats: int = 1) -> tuple[int, bool]:
    """Check that a newcomer can neither book nor hold so many seats. Return the members of the refusal."""
    who = stage.customer()
    queries = ("select events.book(event_id => %s, seats => %s)", HOLD)
    refusals = [refusal(stage, who, query, [event_id, seats]) for query in queries]
    assert refusals[0] == refusals[1]
    assert refusals[0][0] == "sold_out"
    return refusals[0][1]["seats_left"], refusals[0][1]["waitlist"]


def join(stage: stages.Stage, event_id: UUID, seats: int = 1, who: UUID | None = None) -> UUID:
    """Join the waitlist, as a new customer unless one is given. Return the customer."""
    who = who or stage.customer()
    routines.call(stage.db, who, JOIN, [event_id, seats])
    return who


def seats(stage: stages.Stage, event_id: UUID) -> tuple[int, int, int, int]:
    """Return the taken, held and set aside seats, and the number of waiting entries."""
    query = "select taken, held, set_aside, waitlisted from events.inventory where event_id = %s"
    row = stage.db.execute(query, [event_id]).fetchone()
    assert row is not None
    return row["taken"], row["held"], row["set_aside"], row["waitlisted"]


def status(stage: stages.Stage, who: UUID) -> tuple[str, str | None]:
    """Return the status of a customer's only entry, with its reason."""
    query = "select status, status_reason from events.waitlist_entries where customer_id = %s"
    row = stage.db.execute(query, [who]).fetchone()
    assert row is not None
    return row["status"], row["status_reason"]


def resize(stage: stages.Stage, event_id: UUID, capacity: int | None) -> None:
    changes = json.dumps({"capacity": capacity})
    routines.call(stage.db, stage.owner, "select events.update_event(%s, %s::jsonb, 'true')", [event_id, changes])


def test_free_seats_stay_on_sale_while_a_large_group_waits(stage):
    event_id = stage.event(capacity=20)
    book(stage, event_id)
    join(stage, event_id, 20)

    for _ in range(19):
        book(stage, event_id)

    assert seats(stage, event_id) == (20, 0, 0, 1)
    assert sold_out(stage, event_id) == (0, True)


def test_staff_book_and_hold_free_seats_while_a_large_group_waits(stage):
    event_id, desk = stage.event(capacity=20), stage.member("front_desk")
    book(stage, event_id)
    join(stage, event_id, 20)
    for_customer = "select events.book(event_id => %s, seats => 9, customer_id => %s)"

    routines.call(stage.db, desk, for_customer, [event_id, stage.customer()])
    hold = "select events.hold_seats(event_id => %s, seats => 10, customer_id => %s)"
    routines.call(stage.db, desk, hold, [event_id, stage.customer()])

    assert seats(stage, event_id) == (10, 10, 0, 1)


def test_response_to_joining_counts_the_free_seats(stage):
    event_id = stage.event(capacity=20)
    book(stage, event_id)

    answer = gateway.post("waitlist", f"/events/{event_id}/waitlist", {"seats": 20}, caller=stage.customer())

    assert (answer.status, answer.body["status"], answer.body["seats_left"]) == (201, "waiting", 19)


def test_smaller_request_is_told_that_seats_are_available_while_others_wait(stage):
    event_id = stage.event(capacity=20)
    book(stage, event_id)
    join(stage, event_id, 20)

    assert refusal(stage, stage.customer(), JOIN, [event_id, 19]) == ("seats_available", {"seats_left": 19})


@pytest.mark.parametrize("how", ["cancelled", "released", "expired", "deleted"])
def test_seats_that_become_free_while_somebody_waits_are_set_aside(db, stage, how):
    event_id = stage.event(capacity=6)
    book(stage, event_id)
    holder = stage.customer()
    if how in ("cancelled", "deleted"):
        freed = UUID(routines.book(db, event_id, holder, 2)["id"])
    else:
        freed = UUID(routines.call(db, holder, HOLD, [event_id, 2])["id"])
    join(stage, event_id, 6)
    assert seats(stage, event_id)[2:] == (0, 1)

    match how:
        case "cancelled":
            routines.call(db, holder, CANCEL, [freed])
        case "released":
            routines.call(db, holder, RELEASE, [freed])
        case "expired":
            db.execute("update events.holds set expires_at = now() - interval '1 second' where id = %s", [freed])
            routines.call(db, None, "select events.expire_holds()")
        case "deleted":
            db.execute("delete from events.bookings where id = %s", [freed])

    assert seats(stage, event_id) == (1, 0, 2, 1)
    assert sold_out(stage, event_id, 4) == (3, True)
    book(stage, event_id, 3)
    assert sold_out(stage, event_id) == (0, True)


def test_group_gets_an_offer_of_set_aside_and_free_seats_together(stage):
    event_id = stage.event(capacity=4)
    who, booking_id = book(stage, event_id)
    group = join(stage, event_id, 4)

    routines.call(stage.db, who, CANCEL, [booking_id])

    assert status(stage, group)[0] == "offered"
    assert seats(stage, event_id) == (0, 4, 0, 0)


def test_set_aside_seats_go_to_the_next_entry_when_the_first_leaves(stage):
    event_id = stage.event(capacity=4)
    who, booking_id = book(stage, event_id, 2)
    book(stage, event_id, 2)
    group, pair, last = join(stage, event_id, 4), join(stage, event_id, 2), join(stage, event_id, 3)
    routines.call(stage.db, who, CANCEL, [booking_id])
    assert [status(stage, each)[0] for each in (group, pair, last)] == ["waiting"] * 3

    routines.call(stage.db, group, LEAVE, [event_id])

    assert [status(stage, each)[0] for each in (pair, last)] == ["offered", "waiting"]
    assert seats(stage, event_id) == (2, 2, 0, 1)


def test_set_aside_seats_return_to_the_sale_when_nobody_waits(stage):
    event_id = stage.event(capacity=4)
    who, booking_id = book(stage, event_id, 2)
    book(stage, event_id, 2)
    group = join(stage, event_id, 4)
    routines.call(stage.db, who, CANCEL, [booking_id])
    assert seats(stage, event_id) == (2, 0, 2, 1)

    routines.call(stage.db, group, LEAVE, [event_id])

    assert seats(stage, event_id) == (2, 0, 0, 0)
    book(stage, event_id, 2)


@pytest.mark.parametrize("purpose", ["online", "payment"])
def test_own_hold_becomes_a_booking_while_others_wait(db, stage, purpose):
    event_id = stage.event(capacity=4, price_cents=1000)
    book_all = "select events.book(event_id => %s, seats => 3, payment_method => 'comp', customer_id => %s)"
    routines.call(db, stage.owner, book_all, [event_id, stage.customer()])
    who = stage.customer()
    if purpose == "payment":
        card = "select events.book(event_id => %s, payment_method => 'card', idempotency_key => 'tap')"
        booking_id = json.loads(routines.call(db, who, card, [event_id]))["id"]
    else:
        hold_id = routines.call(db, who, HOLD, [event_id, 1])["id"]
    join(stage, event_id, 4)

    if purpose == "payment":
        db.execute("select events.lock_inventory(%s), events.confirm_paid_booking(%s)", [event_id, booking_id])
    else:
        own = "select events.book(event_id => %s, payment_method => 'comp', customer_id => %s, hold_id => %s)"
        routines.call(db, stage.owner, own, [event_id, who, hold_id])

    assert seats(stage, event_id) == (4, 0, 0, 1)


def test_lowered_capacity_closes_larger_entries_with_a_message(stage):
    event_id = stage.event(capacity=20)
    book(stage, event_id)
    group = join(stage, event_id, 20)

    resize(stage, event_id, 10)

    assert status(stage, group) == ("expired", "You asked for 20 seats, but the event has only 10. Ask for fewer.")
    told = stage.db.execute("select topic, payload from public.outbox order by id desc limit 1").fetchone()
    assert (told["topic"], told["payload"]["customer_id"]) == ("waitlist.expired", str(group))
    assert seats(stage, event_id) == (1, 0, 0, 0)
    book(stage, event_id, 9)


def test_entries_behind_a_closed_one_are_offered_seats_at_once(stage):
    event_id = stage.event(capacity=10)
    who, booking_id = book(stage, event_id, 4)
    book(stage, event_id, 3)
    book(stage, event_id, 3)
    group, pair = join(stage, event_id, 8), join(stage, event_id, 2)
    routines.call(stage.db, who, CANCEL, [booking_id])
    assert (status(stage, group)[0], status(stage, pair)[0]) == ("waiting", "waiting")

    resize(stage, event_id, 7)

    assert (status(stage, group)[0], status(stage, pair)[0]) == ("expired", "waiting")
    resize(stage, event_id, 8)
    assert status(stage, pair)[0] == "offered"


def test_schedule_closes_entries_that_are_larger_than_their_event(db, stage):
    event_id = stage.event(capacity=5)
    book(stage, event_id, 5)
    group, single = join(stage, event_id, 5), join(stage, event_id)
    db.execute("update events.inventory set capacity = null where event_id = %s", [event_id])
    db.execute("update events.bookings set seats = 3")
    db.execute("update events.inventory set capacity = 4 where event_id = %s", [event_id])

    routines.call(db, None, "select events.promote_waitlists()")

    assert (status(stage, group)[0], status(stage, single)[0]) == ("expired", "offered")


def test_entry_larger_than_the_event_is_refused_with_the_numbers(stage):
    event_id = stage.event(capacity=5)
    book(stage, event_id, 2)

    code, members = refusal(stage, stage.customer(), JOIN, [event_id, 6])

    assert (code, members["capacity"], members["seats_left"]) == ("waitlist_closed", 5, 3)
    assert members["detail"] == "The event has 5 seats in all, and 3 are free. Ask for fewer than 6."


def test_raised_capacity_goes_to_the_waitlist_first(stage):
    event_id = stage.event(capacity=2)
    book(stage, event_id, 2)
    group = join(stage, event_id, 2)

    resize(stage, event_id, 3)
    assert seats(stage, event_id) == (2, 0, 1, 1)
    assert sold_out(stage, event_id) == (0, True)
    resize(stage, event_id, 5)

    assert status(stage, group)[0] == "offered"
    assert seats(stage, event_id) == (2, 2, 0, 0)
    book(stage, event_id)


def test_lowered_capacity_first_takes_seats_off_the_sale(stage):
    event_id = stage.event(capacity=6)
    who, booking_id = book(stage, event_id, 1)
    book(stage, event_id, 3)
    join(stage, event_id, 4)
    routines.call(stage.db, who, CANCEL, [booking_id])
    assert seats(stage, event_id) == (3, 0, 1, 1)

    resize(stage, event_id, 5)
    assert (seats(stage, event_id)[2], sold_out(stage, event_id, 2)) == (1, (1, True))
    resize(stage, event_id, 4)

    assert (seats(stage, event_id)[2], sold_out(stage, event_id)) == (1, (0, True))


def test_unlimited_capacity_serves_everyone_who_waits(stage):
    event_id = stage.event(capacity=2)
    book(stage, event_id, 2)
    group = join(stage, event_id, 2)

    resize(stage, event_id, None)

    assert status(stage, group)[0] == "offered"
    assert seats(stage, event_id) == (2, 2, 0, 0)
    book(stage, event_id, 20)


BOOK = "select events.book(event_id => %s, seats => %s)"
GUESTS = "select events.book(event_id => %s, seats => %s, guest => true)"


@pytest.mark.parametrize("query", [BOOK, HOLD, GUESTS], ids=["book", "hold", "guests"])
@pytest.mark.parametrize("has", ["nothing", "hold", "offer", "first place", "second place", "hold and first place"])
def test_refusal_tells_what_the_customer_can_do(stage, has, query):
    """Check that the customer can take as many seats as the refusal says, and join the waitlist if it says so."""
    event_id, who = stage.event(capacity=6), stage.customer()
    if has.startswith("hold"):
        routines.call(stage.db, who, HOLD, [event_id, 1])
    _, booking_id = book(stage, event_id, 2)
    book(stage, event_id, 4 - has.startswith("hold"))
    if has == "second place":
        join(stage, event_id, 6)
    if "place" in has:
        entry = "insert into events.waitlist_entries (event_id, customer_id, joined_by, seats, place) values "
        stage.db.execute(entry + "(%s, %s, %s, 5, 7)", [event_id, who, who])
    elif has == "offer":
        join(stage, event_id, 2, who)
    routines.call(stage.db, stage.owner, CANCEL, [booking_id])
    if has in ("nothing", "hold"):
        book(stage, event_id, 2)
    expected = {"nothing": 0, "hold": 1, "offer": 2, "first place": 2, "second place": 0, "hold and first place": 3}

    code, members = refusal(stage, who, query, [event_id, 4])

    assert (code, members["seats_left"]) == ("sold_out", expected[has])
    assert members["waitlist"] == (has != "hold")
    if members["waitlist"]:
        routines.call(stage.db, who, JOIN, [event_id, 4])
    else:
        assert refusal(stage, who, JOIN, [event_id, 4])[0] == "already_held"
    if expected[has]:
        routines.call(stage.db, who, query, [event_id, expected[has]])
    else:
        assert refusal(stage, who, query, [event_id, 1])[0] == "sold_out"


@pytest.mark.parametrize("reserved", ["hold", "offer"])
def test_overdue_seats_are_shown_on_sale_after_the_waitlist_has_ended(db, stage, reserved):
    event_id, who = stage.event(capacity=1), stage.customer()
    if reserved == "hold":
        routines.call(db, who, HOLD, [event_id, 1])
    else:
        _, booking_id = book(stage, event_id)
        join(stage, event_id, who=who)
        routines.call(db, stage.owner, CANCEL, [booking_id])
    join(stage, event_id)
    db.execute("update events.holds set expires_at = now() - interval '1 second' where status = 'active'")

    def shown() -> list[tuple[int, str]]:
        pages = (
            gateway.get("catalog", f"/events/{event_id}").body,
            *gateway.get("catalog", "/events").body["items"],
        )
        return [(page["seats_left"], page["availability"]) for page in pages]

    assert shown() == [(0, "full")] * 2
    db.execute("update events.terms set last_offer_at = now() - interval '1 minute' where event_id = %s", [event_id])

    assert shown() == [(1, "available")] * 2
    book(stage, event_id)
    assert shown() == [(0, "full")] * 2


@pytest.mark.parametrize(
    "change",
    [
        "set_aside = 1",
        "set_aside = 1, waitlisted = 1",
        "set_aside = -1",
        "set_aside = 1, waitlisted = 1, capacity = null",
    ],
)
def test_set_aside_seats_must_be_free_and_waited_for(stage, change):
    event_id = stage.event(capacity=2)
    book(stage, event_id, 2)

    with pytest.raises(psycopg.errors.CheckViolation, match="seats_set_aside_are_free"):
        stage.db.execute(f"update events.inventory set {change} where event_id = %s", [event_id])
