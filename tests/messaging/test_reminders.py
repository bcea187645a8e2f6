"""messaging.send_reminders: customers are reminded of each booking once, in time, and never after the start."""

from datetime import datetime, timedelta

import pytest

from tests.kit import routines, stages

DAY = timedelta(days=1)


@pytest.fixture
def stage(db):
    return stages.create(db)


def start_of(db, event_id) -> datetime:
    return db.execute("select starts_at from events.terms where event_id = %s", [event_id]).fetchone()["starts_at"]


def send(db, at, most=2000, events_most=500):
    """Run the job once at a given time and return its report."""
    query = "select messaging.send_reminders(at => %s, most => %s, events_most => %s)"
    return routines.call(db, None, query, [at, most, events_most])


def reminded(db):
    """Return the payloads of all reminders in order."""
    rows = db.execute("select payload from public.outbox where topic = 'booking.reminder' order by id").fetchall()
    return [row["payload"] for row in rows]


def set_booking_time(db, booking, at):
    db.execute("update events.bookings set created_at = %s where id = %s", [at, booking["id"]])


def test_each_booking_is_reminded_once_a_day_before_the_start(db, stage):
    event_id = stage.event()
    people = stage.customers(3)
    for number, customer in enumerate(people, 1):
        routines.book(db, event_id, customer, number)
    starts_at = start_of(db, event_id)

    assert send(db, starts_at - DAY - timedelta(seconds=1)) == {"reminded": 0, "more": False}
    assert send(db, starts_at - DAY) == {"reminded": 3, "more": False}
    for hours in (0, 1, 23):
        assert send(db, starts_at - DAY + timedelta(hours=hours)) == {"reminded": 0, "more": False}

    assert sorted((each["customer_id"], each["seats"]) for each in reminded(db)) == sorted(
        (str(customer), number) for number, customer in enumerate(people, 1)
    )
    assert {each["event_id"] for each in reminded(db)} == {str(event_id)}
    assert {each["organization_id"] for each in reminded(db)} == {str(stage.organization_id)}


def test_reminders_after_an_outage_skip_events_that_have_started(db, stage):
    begun, soon = stage.event(starts_in="10 days"), stage.event(starts_in="10 days 1 minute")
    for event_id in (begun, soon):
        routines.book(db, event_id, stage.customer())

    assert send(db, start_of(db, begun)) == {"reminded": 1, "more": False}

    assert [each["event_id"] for each in reminded(db)] == [str(soon)]


def test_booking_made_within_the_last_day_is_not_reminded(db, stage):
    event_id = stage.event()
    starts_at = start_of(db, event_id)
    early, late = (routines.book(db, event_id, customer) for customer in stage.customers(2))
    set_booking_time(db, early, starts_at - DAY)
    set_booking_time(db, late, starts_at - DAY + timedelta(seconds=1))

    send(db, starts_at - DAY + timedelta(minutes=5))
    send(db, starts_at - timedelta(minutes=5))

    assert [each["id"] for each in reminded(db)] == [early["id"]]


@pytest.mark.parametrize("status", ["cancelled", "pending_payment", "expired", "refunded"])
def test_only_confirmed_bookings_are_reminded(db, stage, status):
    event_id = stage.event()
    booking = routines.book(db, event_id, stage.customer())
    db.execute("alter table events.bookings disable trigger user")
    db.execute("update events.bookings set status = %s, cancelled_at = now() where id = %s", [status, booking["id"]])
    db.execute("alter table events.bookings enable trigger user")

    assert send(db, start_of(db, event_id) - DAY)["reminded"] == 0


def test_cancelled_event_is_not_reminded(db, stage):
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())
    starts_at = start_of(db, event_id)
    routines.call(db, stage.owner, "select events.cancel_event(event_id => %s, reason => 'storm')", [event_id])

    assert send(db, starts_at - DAY)["reminded"] == 0


@pytest.mark.parametrize(("hours", "before", "expected"), [(2, 3, 0), (2, 2, 1), (48, 48, 1), (168, 168, 1), (0, 1, 0)])
def test_organization_sets_its_reminder_hours_and_zero_disables_them(db, hours, before, expected):
    stage = stages.create(db, reminder_hours=hours)
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())

    assert send(db, start_of(db, event_id) - timedelta(hours=before))["reminded"] == expected


def test_each_organization_keeps_its_own_reminder_hours(db):
    early, late = stages.create(db, reminder_hours=168), stages.create(db)
    events = [stage.event() for stage in (early, late)]
    for stage, event_id in zip((early, late), events, strict=True):
        routines.book(db, event_id, stage.customer())

    send(db, start_of(db, events[0]) - timedelta(hours=100))

    assert [each["event_id"] for each in reminded(db)] == [str(events[0])]


def move(db, event_id, by):
    db.execute(
        "update events.events set starts_at = starts_at + %s, ends_at = ends_at + %s where id = %s",
        [by, by, event_id],
    )


def test_moved_event_is_reminded_of_again_when_its_new_start_is_near(db, stage):
    event_id = stage.event()
    first = routines.book(db, event_id, stage.customer())
    starts_at = start_of(db, event_id)
    send(db, starts_at - DAY)
    move(db, event_id, timedelta(days=7))
    second = routines.book(db, event_id, stage.customer())

    assert send(db, starts_at + 6 * DAY - timedelta(hours=1))["reminded"] == 0
    assert send(db, starts_at + 6 * DAY)["reminded"] == 2
    assert send(db, starts_at + 6 * DAY + timedelta(hours=1))["reminded"] == 0
    told = [each["id"] for each in reminded(db)]
    assert (told[0], sorted(told[1:])) == (first["id"], sorted([first["id"], second["id"]]))


def test_event_that_is_moved_back_after_its_reminder_is_not_reminded_of_again(db, stage):
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())
    starts_at = start_of(db, event_id)
    send(db, starts_at - DAY)
    move(db, event_id, timedelta(days=7))
    move(db, event_id, timedelta(days=-7))
    move(db, event_id, timedelta(hours=-2))

    assert send(db, starts_at - DAY + timedelta(minutes=5))["reminded"] == 0


def test_shorter_reminder_hours_do_not_remind_of_the_same_start_again(db, stage):
    db.execute("update organizations.organizations set reminder_hours = 48")
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())
    starts_at = start_of(db, event_id)
    send(db, starts_at - 2 * DAY)
    db.execute("update organizations.organizations set reminder_hours = 24")

    assert send(db, starts_at - DAY)["reminded"] == 0


def test_bookings_made_before_shorter_reminder_hours_are_reminded(db, stage):
    db.execute("update organizations.organizations set reminder_hours = 48")
    event_id = stage.event()
    starts_at = start_of(db, event_id)
    send(db, starts_at - 2 * DAY)
    set_booking_time(db, routines.book(db, event_id, stage.customer()), starts_at - DAY - timedelta(hours=1))
    db.execute("update organizations.organizations set reminder_hours = 24")

    assert send(db, starts_at - DAY)["reminded"] == 1


def test_reminder_turns_are_bounded_and_together_remind_each_booking_once(db, stage):
    events = [stage.event() for _ in range(3)]
    bookings = [routines.book(db, event_id, customer)["id"] for event_id in events for customer in stage.customers(5)]
    at = max(start_of(db, event_id) for event_id in events) - DAY
    turns = [send(db, at, most=4, events_most=2)]
    while turns[-1]["more"] and len(turns) < 20:
        turns.append(send(db, at, most=4, events_most=2))

    assert not turns[-1]["more"]
    assert max(turn["reminded"] for turn in turns) == 4
    assert sorted(each["id"] for each in reminded(db)) == sorted(bookings)
    assert db.execute("select count(*) from messaging.reminded_events").fetchone()["count"] == 3


def test_concurrent_jobs_remind_each_booking_once(db, connect, stage):
    event_id = stage.event()
    for customer in stage.customers(3):
        routines.book(db, event_id, customer)
    at = start_of(db, event_id) - DAY
    one, other = connect(autocommit=False), connect()
    other.execute("set lock_timeout = '200ms'")

    send(one, at)
    with pytest.raises(Exception, match="lock timeout"):  # the second job waits for the first
        send(other, at)
    one.commit()

    assert send(other, at) == {"reminded": 0, "more": False}
    assert len(reminded(db)) == 3


def test_reminded_event_is_not_read_again(db, stage):
    """The next run finds the mark of the event and skips its bookings, so 20,000 events a day stay cheap."""
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())
    at = start_of(db, event_id) - DAY
    send(db, at)
    db.execute("delete from messaging.reminders")

    assert send(db, at + timedelta(hours=1))["reminded"] == 0


def test_event_marks_are_deleted_after_a_month_and_booking_marks_stay(db, stage):
    event_id = stage.event()
    routines.book(db, event_id, stage.customer())
    at = start_of(db, event_id) - DAY
    send(db, at)

    for days, left in ((29, 1), (31, 0)):
        routines.call(db, None, "select ops.clean_up(at => %s)", [at + timedelta(days=days)])
        assert db.execute("select count(*) from messaging.reminded_events").fetchone()["count"] == left
    assert db.execute("select count(*) from messaging.reminders").fetchone()["count"] == 1


@pytest.mark.parametrize("days", [0, 40], ids=["soon", "from another month"])
def test_move_to_a_near_start_is_reminded_of_although_the_booking_is_recent(db, stage, days):
    event_id = stage.event(starts_in=f"{3 + days} days")
    before = routines.book(db, event_id, stage.customer())
    now = start_of(db, event_id) - timedelta(days=3 + days)
    set_booking_time(db, before, now - timedelta(hours=1))
    move(db, event_id, -timedelta(days=2 + days, hours=14))
    after = routines.book(db, event_id, stage.customer())
    set_booking_time(db, after, now + timedelta(hours=1))

    assert send(db, now + timedelta(hours=2)) == {"reminded": 1, "more": False}
    assert send(db, now + timedelta(hours=5)) == {"reminded": 0, "more": False}
    assert [each["id"] for each in reminded(db)] == [before["id"]]
