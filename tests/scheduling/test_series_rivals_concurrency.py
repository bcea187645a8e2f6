"""Test that edits of series and imports that waited for a lock decide by the facts that a rival changed meanwhile.

tests/kit/rivals.py explains the three tries of a case.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from marquee.operations import legacy_import
from tests.kit import rivals, routines
from tests.kit.legacy_exports import Export, run
from tests.kit.rivals import Case, Scene, calls

TITLE = calls("""select events.edit_series(series_id => %(series_id)s, changes => '{"title": "New"}')::text""", "owner")
LATER = calls(
    "select events.edit_series(series_id => %(series_id)s, changes => '{}', occurrences => %(later)s,"
    " until => %(day)s)::text",
    "owner",
)
ENDED = calls(
    "select events.edit_series(series_id => %(series_id)s, changes => '{}', occurrences => '[]', until => %(day)s)"
    "::text",
    "owner",
)
SMALLER = calls(
    """select events.edit_series(series_id => %(series_id)s, changes => '{"capacity": 2}')::text""", "owner"
)
RECORD = calls("select events.record_occurrences(slice => %(slice)s, until => %(next_day)s)", "owner")
SPLIT = calls(
    "select events.split_series(series_id => %(series_id)s, first_date => %(day)s, recurrence => 'RRULE:FREQ=DAILY')"
    "::text",
    "owner",
)
ARCHIVE = calls("select events.set_series_status(series_id => %(series_id)s, status => 'archived')::text", "owner")
PAUSE = calls("select events.set_series_status(series_id => %(series_id)s, status => 'paused')::text", "owner")
SPECIAL = calls("""select events.update_event(event_id => %(event_id)s, changes => '{"title": "Special"}')""", "owner")
CANCELLED = calls("select events.cancel_event(event_id => %(event_id)s)", "owner")
OTHER_CANCELS = calls("select events.cancel_booking(booking_id => %(booking_id)s)")
BOOK_THREE = calls("select events.book(event_id => %(event_id)s, seats => 3, idempotency_key => 'tap')")
NEW_EVENT = calls("select events.create_event(details => %(details)s)", "owner")
NEW_SERIES = calls("select events.create_series(details => %(series_details)s)::text", "owner")
COPY = calls("select events.copy_event(event_id => %(event_id)s, details => %(copy)s)", "owner")
SUBSTITUTE = calls(
    "select events.substitute_instructor(event_id => %(event_id)s, instructor_id => %(instructor_id)s)", "owner"
)
CLOSE = calls("select events.close_period(organization_id => %(organization_id)s, details => %(closure)s)", "owner")
END_CLOSURE = calls(
    "select events.end_closure(organization_id => %(organization_id)s, closure_id => %(closure_id)s)", "owner"
)
IMPORT = lambda connection, scene: legacy_import.load(connection, scene.more["folder"])  # noqa: E731
EVENTS = """
select jsonb_agg(jsonb_build_array(e.title, e.status, e.detached, (e.starts_at at time zone 'UTC')::time, i.capacity)
    order by e.starts_at) as value
from events.events as e
inner join events.inventory as i on i.event_id = e.id
where e.organization_id = %(organization_id)s
"""
CLOSURES = """
select jsonb_agg(jsonb_build_array(c.reason, c.ended_at is not null) order by c.created_at) as value
from events.closures as c where c.organization_id = %(organization_id)s
"""
SUBSTITUTES = """
select count(*) filter (where e.instructor_id = %(instructor_id)s) as value
from events.events as e where e.organization_id = %(organization_id)s
"""
SERIES = """
select jsonb_agg(jsonb_build_array(s.status, s.title) order by s.created_at) as value
from events.series as s where s.organization_id = %(organization_id)s
"""
OUTCOMES = "select jsonb_agg(jsonb_build_array(o.file, o.outcome) order by o.file) as value from staging.outcomes as o"


def occurrence(days: int, hour: int) -> dict[str, str]:
    """Return an occurrence at a full hour some days from now, in UTC."""
    start = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return {"local_start": start.replace(tzinfo=None).isoformat(), "starts_at": start.isoformat()}


def series(db) -> Scene:
    """Return a daily series with one event in ten days, and the occurrences for its edits."""
    scene = rivals.empty_scene(db)
    db.execute("delete from events.events where id = %s", [scene.event_id])
    day = datetime.now(UTC).date() + timedelta(days=10)
    details = {
        "organization_id": str(scene.stage.organization_id),
        "title": "Old",
        "time_zone": "UTC",
        "recurrence": "RRULE:FREQ=DAILY",
        "local_start_time": "09:00",
        "start_date": str(day - timedelta(days=1)),
        "duration_minutes": 60,
        "capacity": 4,
    }
    made = routines.call(
        db, scene.stage.owner, "select to_jsonb(events.create_series(details => %s))", [Jsonb(details)]
    )
    first, second = (Jsonb([{"series_id": made["id"], "occurrences": [occurrence(days, 9)]}]) for days in (10, 11))
    query = "select events.record_occurrences(slice => %s, until => %s)"
    routines.call(db, scene.stage.owner, query, [first, day])
    row = db.execute("select event_id from events.occurrences where series_id = %s", [made["id"]]).fetchone()
    single = {
        "organization_id": str(scene.stage.organization_id),
        "title": "Single",
        "starts_at": f"{day}T12:00:00Z",
        "ends_at": f"{day}T13:00:00Z",
    }
    scene.event_id = row["event_id"]
    scene.more |= {
        "series_id": made["id"],
        "day": day,
        "next_day": day + timedelta(days=1),
        "slice": second,
        "later": Jsonb([occurrence(10, 10)]),
        "details": Jsonb(single),
        "series_details": Jsonb({**details, "title": "Another"}),
    }
    return scene


def sold(db) -> Scene:
    """Return `series`, with a booking of its event."""
    scene = series(db)
    scene.more["booking_id"] = routines.book(db, scene.event_id, scene.customer)["id"]
    return scene


def limited(db) -> Scene:
    """Return `series`, where the organization may have one more event and one more series."""
    db.execute("update ops.limits set value = 1 where name = 'events_per_organization'")
    db.execute("update ops.limits set value = 2 where name = 'series_per_organization'")
    return series(db)


def planned(db) -> Scene:
    """Return `series`, with an instructor, a closed time, and what a copy and another closure need."""
    scene = series(db)
    instructor = db.execute(
        "insert into organizations.instructors (organization_id, name) values (%s, 'Ana') returning id",
        [scene.stage.organization_id],
    ).fetchone()
    closed = db.execute(
        "insert into events.closures (organization_id, starts_at, ends_at, time_zone, reason) values"
        " (%s, now() + interval '90 days', now() + interval '91 days', 'UTC', 'Works') returning id",
        [scene.stage.organization_id],
    ).fetchone()
    day = str(datetime.now(UTC).date() + timedelta(days=80))
    scene.more |= {
        "instructor_id": instructor["id"],
        "closure_id": closed["id"],
        "closure": Jsonb({"from": day, "until": day, "reason": "Party"}),
        "copy": Jsonb({"date": day, "status": "draft"}),
    }
    return scene


def import_of(file: str):
    """Return how to prepare an export with one row about a customer, for a class that an earlier run imported."""

    def prepare(db) -> Scene:
        scene = rivals.empty_scene(db)
        export = Export(Path(tempfile.mkdtemp()), scene.stage.organization_id)
        instance = export.instance(export.template(capacity=1 if file == "waitlists" else 10))
        run(db, export)
        scene.event_id = UUID(instance)
        if file == "waitlists":
            routines.book(db, scene.event_id, scene.stage.customer())
            export.wait(instance, customer_id=str(scene.customer))
        else:
            export.registration(instance, customer_id=str(scene.customer))
        scene.more["folder"] = export.write()
        return scene

    return prepare


CASES = {
    "edit: the staff member leaves": Case("events.edit_series", TITLE, rivals.DISMISSED, series, look=EVENTS),
    "edit of dates: the staff member leaves": Case("events.edit_series", LATER, rivals.DISMISSED, series, look=EVENTS),
    "edit: the staff member leaves at the series": Case(
        "events.edit_series", TITLE, rivals.DISMISSED, series, look=EVENTS, lock="series"
    ),
    "split: the staff member leaves": Case(
        "events.split_series", SPLIT, rivals.DISMISSED, series, look=SERIES, lock="programme"
    ),
    "split: the staff member leaves at the series": Case(
        "events.split_series", SPLIT, rivals.DISMISSED, series, look=SERIES, lock="series"
    ),
    "status: the staff member leaves": Case(
        "events.set_series_status", PAUSE, rivals.DISMISSED, series, look=SERIES, lock="series"
    ),
    "generation: the staff member leaves": Case(
        "events.record_occurrences", RECORD, rivals.DISMISSED, series, look=EVENTS, lock="series"
    ),
    "new event: the staff member leaves": Case(
        "events.create_event", NEW_EVENT, rivals.DISMISSED, series, look=EVENTS, lock="programme"
    ),
    "new series: the staff member leaves": Case(
        "events.create_series", NEW_SERIES, rivals.DISMISSED, series, look=SERIES, lock="programme"
    ),
    "details: an event is edited": Case("events.copy_details", TITLE, SPECIAL, series, look=EVENTS, lock="nothing"),
    "details: an event is cancelled": Case(
        "events.copy_details", TITLE, CANCELLED, series, look=EVENTS, lock="nothing"
    ),
    "capacity: seats are sold": Case("events.set_capacities", SMALLER, BOOK_THREE, series, look=EVENTS, lock="nothing"),
    "times: an event is edited": Case(
        "events.reschedule_occurrences", LATER, SPECIAL, series, look=EVENTS, lock="nothing"
    ),
    "times: an event is cancelled": Case(
        "events.reschedule_occurrences", LATER, CANCELLED, series, look=EVENTS, lock="nothing"
    ),
    "generation: the series is paused": Case(
        "events.record_occurrences", RECORD, PAUSE, series, look=EVENTS, lock="nothing"
    ),
    "edit: the series is archived": Case("events.edit_series", TITLE, ARCHIVE, series, look=SERIES, lock="nothing"),
    "confirmation: seats are sold": Case("events.edit_series", ENDED, BOOK_THREE, series, look=EVENTS, lock="nothing"),
    "confirmation: the booking is cancelled": Case(
        "events.lock_commitments", ENDED, OTHER_CANCELS, sold, look=EVENTS, lock="nothing"
    ),
    "split: the series is archived": Case("events.split_series", SPLIT, ARCHIVE, series, look=SERIES, lock="nothing"),
    "status: the series is archived": Case(
        "events.set_series_status", PAUSE, ARCHIVE, series, look=SERIES, lock="nothing"
    ),
    "copy: the staff member leaves": Case(
        "events.copy_event", COPY, rivals.DISMISSED, planned, look=EVENTS, lock="programme"
    ),
    "substitute: the staff member leaves": Case(
        "events.substitute_instructor", SUBSTITUTE, rivals.DISMISSED, planned, look=SUBSTITUTES
    ),
    "closure: the staff member leaves": Case(
        "events.close_period", CLOSE, rivals.DISMISSED, planned, look=CLOSURES, lock="closures"
    ),
    "end of a closure: the staff member leaves": Case(
        "events.end_closure", END_CLOSURE, rivals.DISMISSED, planned, look=CLOSURES, lock="closure"
    ),
    "limit of events: another is created": Case(
        "events.create_event", NEW_EVENT, NEW_EVENT, limited, look=EVENTS, lock="nothing"
    ),
    "limit of series: another is created": Case(
        "events.create_series", NEW_SERIES, NEW_SERIES, limited, look=SERIES, lock="nothing"
    ),
    "import: the customer books": Case(
        "staging.convert_registrations",
        IMPORT,
        calls("select events.book(event_id => %(event_id)s, idempotency_key => 'tap')"),
        import_of("class_registrations"),
        look=OUTCOMES,
    ),
    "import: the customer joins the waitlist": Case(
        "staging.convert_waitlists",
        IMPORT,
        calls("select events.join_waitlist(event_id => %(event_id)s)"),
        import_of("waitlists"),
        look=OUTCOMES,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_edit_that_waited_decides_by_the_changed_facts(db, connect, name):
    found = rivals.try_case(connect, db, CASES[name])

    assert found["after"] != found["undisturbed"], "the rival's change must matter"
    assert found["waiting"] == found["after"]
