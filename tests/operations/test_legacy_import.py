"""The import of an earlier system: exports become series, events and bookings, and a second run adds only new rows."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.kit import scheduling
from tests.kit.legacy_exports import SOON, Export, counts, everything, run


@pytest.fixture
def world(db):
    return scheduling.world(db)


@pytest.fixture
def export(world, tmp_path):
    return Export(tmp_path, world.organization_id)


def test_classes_become_series_and_events_with_their_seats(db, world, export):
    template = export.template(
        name="Morning flow", description="Slow", recurrence_rule="FREQ=WEEKLY;BYDAY=MO", start_date="2024-01-01",
        start_time="07:30", time_zone="Europe/Zurich", price="25.50", instructor_name="Nora", location_name="Loft",
        location_city="Zurich", category="Yoga",
    )  # fmt: skip
    instance = export.instance(template, capacity=4, name="Special")
    plain = export.instance(template, SOON + timedelta(days=7))

    report = run(db, export)

    assert (counts(report, "class_templates"), counts(report, "class_instances")) == ((1, 0, 0), (2, 0, 0))
    series = db.execute("select * from events.series where id = %s", [template]).fetchone()
    assert (series["title"], series["recurrence"], series["status"]) == (
        "Morning flow", "RRULE:FREQ=WEEKLY;BYDAY=MO", "active",
    )  # fmt: skip
    assert (series["price_cents"], series["currency"], series["category"]) == (2550, "CHF", "yoga")
    assert series["generated_until"] == (SOON + timedelta(days=7)).astimezone(ZoneInfo("Europe/Zurich")).date()
    rows = db.execute(
        "select e.*, i.capacity::integer, l.name as location, p.name as instructor from events.events as e"
        " inner join events.inventory as i on i.event_id = e.id"
        " inner join organizations.locations as l on l.id = e.location_id"
        " inner join organizations.instructors as p on p.id = e.instructor_id order by e.starts_at"
    ).fetchall()
    assert [(str(row["id"]), row["title"], row["capacity"]) for row in rows] == [
        (instance, "Special", 4), (plain, "Morning flow", 10),
    ]  # fmt: skip
    assert (rows[0]["starts_at"], rows[0]["ends_at"] - rows[0]["starts_at"]) == (SOON, timedelta(hours=1))
    assert (rows[0]["location"], rows[0]["instructor"], rows[0]["status"]) == ("Loft", "Nora", "scheduled")
    occurrences = db.execute("select event_id from events.occurrences where series_id = %s", [template]).fetchall()
    assert {str(row["event_id"]) for row in occurrences} == {instance, plain}


def test_registrations_become_bookings_and_their_seats_are_counted(db, export):
    instance = export.instance(export.template())
    customer = str(uuid4())
    booking = export.registration(
        instance, customer_id=customer, customer_email="mia@example.org", customer_name="Mia", seats=2,
        amount_paid="40.00", payment_method="stripe", registered_at="2025-01-31 18:00:00+01",
    )  # fmt: skip
    export.registration(instance, status="cancelled", cancelled_at="2025-02-01T10:00:00Z")
    export.registration(instance, status="no-show")

    report = run(db, export)

    assert counts(report, "class_registrations") == (3, 0, 0)
    row = db.execute("select * from events.bookings where id = %s", [booking]).fetchone()
    assert (row["seats"], row["price_cents"], row["payment_method"], row["status"]) == (2, 4000, "card", "confirmed")
    assert row["created_at"] == datetime(2025, 1, 31, 17, tzinfo=UTC)
    assert db.execute("select taken::integer from events.inventory").fetchone() == {"taken": 3}
    person = db.execute("select email, name from users.profiles where id = %s", [customer]).fetchone()
    assert person == {"email": "mia@example.org", "name": "Mia"}
    assert db.execute("select count(*) as n from public.outbox").fetchone()["n"] == 0


def test_waitlist_entries_keep_their_order(db, export):
    instance = export.instance(export.template(capacity=1))
    export.registration(instance)
    third, first, second = (export.wait(instance, position=position) for position in (30, 1, 7))

    report = run(db, export)

    assert counts(report, "waitlists") == (3, 0, 0)
    rows = db.execute("select id, place, status from events.waitlist_entries order by place").fetchall()
    assert [(str(row["id"]), row["place"], row["status"]) for row in rows] == [
        (first, 1, "waiting"), (second, 2, "waiting"), (third, 3, "waiting"),
    ]  # fmt: skip
    assert db.execute("select waitlisted::integer from events.inventory").fetchone() == {"waitlisted": 3}


def test_cancelled_imported_booking_is_offered_to_the_imported_waitlist(db, world, export):
    instance = export.instance(export.template(capacity=1))
    emails = dict(row.values() for row in db.execute("select id, email from users.profiles").fetchall())
    booking = export.registration(instance, customer_id=str(world.customer), customer_email=emails[world.customer])
    entry = export.wait(instance, customer_id=str(world.second_customer), customer_email=emails[world.second_customer])
    run(db, export)

    with db.transaction():
        db.execute("select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{world.customer}"}}'])
        db.execute("select events.cancel_booking(booking_id => %s)", [booking])

    row = db.execute("select status::text from events.waitlist_entries where id = %s", [entry]).fetchone()
    assert row == {"status": "offered"}


def test_second_run_changes_nothing(db, export):
    template = export.template(recurrence_rule="FREQ=DAILY", instructor_name="Nora", location_name="Loft")
    instances = [export.instance(template, SOON + timedelta(days=number), capacity=2) for number in range(5)]
    for instance in instances:
        for _registration in range(3):  # the third does not fit
            export.registration(instance)
        export.wait(instance)
    first = run(db, export)
    before = everything(db)

    second = run(db, export)

    assert everything(db) == before
    assert counts(first, "class_registrations") == (10, 0, 5)
    assert counts(second, "class_registrations") == (0, 10, 5)
    assert (counts(second, "class_templates"), counts(second, "class_instances")) == ((0, 1, 0), (0, 5, 0))
    assert counts(second, "waitlists") == (0, 5, 0)
    assert second.rejects == first.rejects


def test_registration_of_a_later_run_keeps_the_waitlist_entry_waiting(db, export):
    instance = export.instance(export.template(capacity=2))
    export.registration(instance)
    export.wait(instance)
    run(db, export)
    export.registration(instance)

    report = run(db, export)

    assert counts(report, "class_registrations") == (1, 1, 0)
    assert db.execute("select taken, waitlisted from events.inventory").fetchone() == {"taken": 2, "waitlisted": 1}


def test_changes_since_the_first_run_are_kept(db, world, export):
    instance = export.instance(export.template())
    booking = export.registration(instance)
    run(db, export)
    db.execute(
        "update events.events set title = 'Renamed', starts_at = starts_at + interval '1 hour',"
        " ends_at = ends_at + interval '1 hour'"
    )
    db.execute("update events.bookings set status = 'cancelled', cancelled_at = now() where id = %s", [booking])
    before = everything(db)

    run(db, export)

    assert everything(db) == before


def test_rows_added_to_the_export_are_imported(db, export):
    template = export.template()
    export.registration(export.instance(template))
    run(db, export)
    export.registration(export.instance(template, SOON + timedelta(days=1)))

    report = run(db, export)

    assert (counts(report, "class_instances"), counts(report, "class_registrations")) == ((1, 1, 0), (1, 1, 0))


def test_past_class_is_imported_as_completed(db, export):
    template = export.template()
    past = export.instance(template, datetime(2024, 5, 1, 17, tzinfo=UTC))
    export.registration(past)
    export.registration(past, status="pending")
    export.wait(past)

    run(db, export)

    assert db.execute("select status::text from events.events").fetchone() == {"status": "completed"}
    states = {row["status"] for row in db.execute("select status::text from events.bookings").fetchall()}
    assert states == {"confirmed", "expired"}
    assert db.execute("select status::text from events.waitlist_entries").fetchone() == {"status": "expired"}


def test_past_classes_get_partitions_of_their_months(db, export):
    template = export.template()
    months = [datetime(2019, month, 28, 23, 30, tzinfo=UTC) for month in (1, 2, 12)]
    for starts_at in months:
        export.instance(template, starts_at)
    export.instance(template, start_time="2019-12-31 23:30:00-05")  # January in UTC

    run(db, export)

    rows = db.execute("select tableoid::regclass::text as p from events.events order by starts_at").fetchall()
    assert [row["p"] for row in rows] == [
        "events.events_2019_01", "events.events_2019_02", "events.events_2019_12", "events.events_2020_01",
    ]  # fmt: skip


def test_template_without_a_recurrence_rule_becomes_a_paused_series(db, export):
    template = export.template()
    export.instance(template)

    run(db, export)

    series = db.execute("select status::text, status_reason from events.series where id = %s", [template]).fetchone()
    assert series == {"status": "paused", "status_reason": "It was imported without a rule."}
