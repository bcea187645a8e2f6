"""The import of an earlier system's exports: all is converted or rejected by name, and a second run changes nothing."""

import csv
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from marquee.operations import legacy_import
from tests import planning

ROOT = Path(__file__).resolve().parents[2]
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)


class Export:
    """A folder of exports that is being written."""

    def __init__(self, folder: Path, organization_id: UUID) -> None:
        self.folder = folder
        self.organization_id = organization_id
        self.rows: dict[str, list[dict[str, object]]] = {}

    def add(self, file: str, **values: object) -> str:
        """One more row; answers its id."""
        values = {"id": str(uuid4()), **values}
        self.rows.setdefault(file, []).append(values)
        return str(values["id"])

    def template(self, **values: object) -> str:
        return self.add(
            "class_templates",
            **{
                "organization_id": self.organization_id,
                "name": "Yoga",
                "duration_minutes": 60,
                "capacity": 10,
                **values,
            },
        )

    def instance(self, template_id: str | None, starts_at: datetime = SOON, **values: object) -> str:
        return self.add(
            "class_instances", **{"template_id": template_id, "start_time": starts_at.isoformat(), **values}
        )

    def registration(self, instance_id: str, **values: object) -> str:
        return self.add(
            "class_registrations",
            **{"class_instance_id": instance_id, "customer_id": str(uuid4()), "status": "confirmed", **values},
        )

    def wait(self, instance_id: str, **values: object) -> str:
        return self.add("waitlists", **{"class_instance_id": instance_id, "customer_id": str(uuid4()), **values})

    def write(self) -> Path:
        for file, rows in self.rows.items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (self.folder / f"{file}.csv").open("w", newline="") as target:
                writer = csv.DictWriter(target, columns)
                writer.writeheader()
                writer.writerows(rows)
        return self.folder


@pytest.fixture
def world(db):
    return planning.world(db)


@pytest.fixture
def export(world, tmp_path):
    return Export(tmp_path, world.organization_id)


def run(db, export):
    return legacy_import.load(db, export.write())


def counts(report, file):
    found = report.files[file]
    assert found.read == found.converted + found.unchanged + found.rejected
    return found.converted, found.unchanged, found.rejected


def everything(db):
    """All that an import could change, to be compared."""
    tables = ("events.series", "events.occurrences", "events.terms", "events.inventory", "events.bookings",
              "events.waitlist_entries", "users.profiles", "organizations.instructors", "organizations.locations",
              "ops.state_history", "public.outbox")  # fmt: skip
    return {
        table: db.execute(f"select md5(string_agg(t::text, '|' order by t::text)) as h from {table} as t").fetchone()[
            "h"
        ]
        for table in (*tables, "events.events")
    }


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
    assert series["generated_until"] == (SOON + timedelta(days=7)).date()
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


def test_waits_keep_their_order(db, export):
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


def test_what_was_imported_can_be_booked_cancelled_and_offered(db, world, export):
    instance = export.instance(export.template(capacity=1))
    booking = export.registration(instance, customer_id=str(world.customer))
    entry = export.wait(instance, customer_id=str(world.second_customer))
    run(db, export)

    with db.transaction():
        db.execute("select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{world.customer}"}}'])
        db.execute("select events.cancel_booking(booking_id => %s)", [booking])

    row = db.execute("select status::text from events.waitlist_entries where id = %s", [entry]).fetchone()
    assert row == {"status": "offered"}


def test_a_second_run_changes_nothing(db, export):
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


def test_what_happened_since_the_first_run_stays(db, world, export):
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


def test_what_is_added_to_the_export_is_added(db, export):
    template = export.template()
    export.registration(export.instance(template))
    run(db, export)
    export.registration(export.instance(template, SOON + timedelta(days=1)))

    report = run(db, export)

    assert (counts(report, "class_instances"), counts(report, "class_registrations")) == ((1, 1, 0), (1, 1, 0))


REJECTED_TEMPLATES = [
    ({"id": "abc"}, 'id "abc" is no UUID'),
    ({"organization_id": "nobody"}, 'organization_id "nobody" is unknown'),
    ({"name": ""}, "name has not 1 to 200 characters"),
    ({"duration_minutes": "an hour"}, 'duration_minutes "an hour" is no number from 10 to 600'),
    ({"duration_minutes": "5"}, 'duration_minutes "5" is no number from 10 to 600'),
    ({"capacity": "-1"}, 'capacity "-1" is no number from 0 to 1000000'),
    ({"price": "12.345"}, 'price "12.345" is no amount'),
    ({"price": "-3"}, 'price "-3" is no amount'),
    ({"currency": "XXX"}, 'currency "XXX" is unknown'),
    ({"time_zone": "Mars/Olympus"}, 'time_zone "Mars/Olympus" is unknown'),
    ({"start_date": "31.12.2024"}, 'start_date "31.12.2024" is no date'),
    ({"start_date": "2024-02-30"}, 'start_date "2024-02-30" is no date'),
    ({"start_date": "2024-02-03", "end_date": "2024-02-01"}, 'end_date "2024-02-01" is before start_date'),
    ({"start_time": "25:00"}, 'start_time "25:00" is no time of day'),
    ({"recurrence_rule": "FREQ=SOMETIMES"}, 'recurrence_rule "RRULE:FREQ=SOMETIMES"'),
    ({"is_active": "perhaps"}, 'is_active "perhaps" is not true or false'),
]


@pytest.mark.parametrize(("values", "reason"), REJECTED_TEMPLATES)
def test_a_template_that_cannot_be_converted_is_rejected_with_its_line_and_why(db, export, values, reason):
    export.template()
    export.template(**values)

    report = run(db, export)

    assert counts(report, "class_templates") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_templates.csv", 3)
    assert reason in said


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"start_time": "tomorrow"}, 'start_time "tomorrow" is no time with an offset'),
        ({"start_time": "2025-02-30T10:00:00Z"}, "is no time with an offset"),
        ({"start_time": "2025-02-03 10:00:00"}, "is no time with an offset"),
        ({"start_time": "2525-02-03T10:00:00Z"}, "is not between 1990 and 2100"),
        ({"end_time": "2020-02-03T10:00:00Z"}, "is not after start_time"),
        ({"template_id": "00000000-0000-4000-8000-00000000abcd"}, "template_id"),
        ({"status": "melted"}, 'status "melted" is unknown'),
        ({"template_id": None, "name": "Alone"}, "organization_id is unknown"),
    ],
)
def test_an_instance_that_cannot_be_converted_is_rejected_with_its_line_and_why(db, export, values, reason):
    template = export.template()
    export.instance(template, SOON + timedelta(days=1))
    export.add("class_instances", **{"template_id": template, "start_time": SOON.isoformat(), **values})

    report = run(db, export)

    assert counts(report, "class_instances") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_instances.csv", 3)
    assert reason in said


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"class_instance_id": "00000000-0000-4000-8000-00000000abcd"}, "is unknown"),
        ({"class_instance_id": "x"}, 'class_instance_id "x" is unknown'),
        ({"customer_id": "mia"}, 'customer_id "mia" is no UUID'),
        ({"customer_email": "mia"}, 'customer_email "mia" is no address'),
        ({"seats": "0"}, 'seats "0" is no number from 1 to 20'),
        ({"seats": "21"}, "is no number from 1 to 20"),
        ({"status": "dreaming"}, 'status "dreaming" is unknown'),
        ({"amount_paid": "NaN"}, 'amount_paid "NaN" is no amount'),
        ({"payment_method": "shells"}, 'payment_method "shells" is unknown'),
        ({"registered_at": "31/01/2025"}, 'registered_at "31/01/2025" is no time with an offset'),
    ],
)
def test_a_registration_that_cannot_be_converted_is_rejected_with_its_line_and_why(db, export, values, reason):
    instance = export.instance(export.template())
    export.registration(instance)
    export.registration(instance, **values)

    report = run(db, export)

    assert counts(report, "class_registrations") == (1, 0, 1)
    ((file, line, said),) = report.rejects
    assert (file, line) == ("class_registrations.csv", 3)
    assert reason in said


def test_a_rejected_class_takes_what_hangs_on_it_along_and_says_so(db, export):
    template = export.template(capacity="many")
    instance = export.instance(template)
    export.registration(instance)
    export.wait(instance)

    report = run(db, export)

    assert [(file, reason.split(" ", 2)[2] if "was" in reason else reason) for file, _, reason in report.rejects][1:]
    reasons = {file: reason for file, _, reason in report.rejects}
    assert "is no number" in reasons["class_templates.csv"]
    assert f'template_id "{template}" was rejected (line 2)' in reasons["class_instances.csv"]
    assert f'class_instance_id "{instance}" was rejected (line 2)' in reasons["class_registrations.csv"]
    assert f'class_instance_id "{instance}" was rejected (line 2)' in reasons["waitlists.csv"]


def test_more_registrations_than_seats_are_rejected_latest_first_and_nothing_is_oversold(db, export):
    instance = export.instance(export.template(capacity=5))
    rows = [
        export.registration(instance, seats=seats, registered_at=f"2025-01-0{day} 10:00:00+00")
        for seats, day in ((2, 3), (2, 1), (3, 2), (1, 4))
    ]

    report = run(db, export)

    assert counts(report, "class_registrations") == (2, 0, 2)
    kept = {str(row["id"]) for row in db.execute("select id from events.bookings").fetchall()}
    assert kept == {rows[1], rows[2]}  # by the time of registration: 2 + 3 seats
    assert {reason for _, _, reason in report.rejects} == {"the class is full: its capacity is 5"}
    assert db.execute("select taken::integer from events.inventory").fetchone() == {"taken": 5}


def test_a_big_group_that_does_not_fit_makes_nobody_smaller_stay_out(db, export):
    instance = export.instance(export.template(capacity=3))
    for seats, day in ((2, 1), (2, 2), (1, 3)):
        export.registration(instance, seats=seats, registered_at=f"2025-01-0{day} 10:00:00+00")

    assert counts(run(db, export), "class_registrations") == (2, 0, 1)


def test_doubles_are_rejected(db, export):
    template = export.template()
    export.add("class_templates", **export.rows["class_templates"][0])
    instance = export.instance(template)
    customer = str(uuid4())
    first = export.registration(instance, customer_id=customer, registered_at="2025-01-01 10:00:00+00")
    export.registration(instance, customer_id=customer, registered_at="2025-01-02 10:00:00+00")
    export.registration(instance, customer_id=customer, status="cancelled")  # of the past: no double
    export.wait(instance, customer_id=customer)
    waiting = str(uuid4())
    export.wait(instance, customer_id=waiting, position=1)
    export.wait(instance, customer_id=waiting, position=2)

    report = run(db, export)

    assert [(file, line, reason.split(": ")[0]) for file, line, reason in report.rejects] == [
        ("class_registrations.csv", 3, "the customer has a registration of this class already (line 2)"),
        ("class_templates.csv", 3, f'id "{template}" stands in line 2 already'),
        ("waitlists.csv", 2, f'customer_id "{customer}" has a registration of this class'),
        ("waitlists.csv", 4, "the customer waits for this class already"),
    ]
    live = db.execute("select id from events.bookings where status = 'confirmed'").fetchall()
    assert [str(row["id"]) for row in live] == [first]


def test_what_is_over_is_imported_as_over(db, export):
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


def test_classes_of_the_past_get_partitions_of_their_months(db, export):
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


def test_a_template_without_a_rule_generates_nothing(db, export):
    template = export.template()
    export.instance(template)

    run(db, export)

    series = db.execute("select status::text, status_reason from events.series where id = %s", [template]).fetchone()
    assert series == {"status": "paused", "status_reason": "It was imported without a rule."}


def test_rows_that_are_not_of_the_form_of_their_file_are_rejected_and_the_others_are_not(db, world, tmp_path):
    organization = str(world.organization_id)
    ids = [str(uuid4()) for _ in range(6)]
    header = "id,organization_id,name,duration_minutes,notes\n"
    rows = [
        f"{ids[0]},{organization},Yoga,60,fine",
        f"{ids[1]},{organization},Yoga",
        f'{ids[2]},{organization},"Yoga\nin two lines",60,fine',
        f"{ids[3]},{organization},Yoga,60,fine,one too many",
        "",
        f"{ids[4]},{organization},Yo\0ga,60,fine",
    ]
    text = (header + "\n".join(rows) + "\n").encode() + f"{ids[5]},{organization},".encode() + b"Yog\xe9,60,fine\n"
    (tmp_path / "class_templates.csv").write_bytes(b"\xef\xbb\xbf" + text)

    report = legacy_import.load(db, tmp_path)

    assert counts(report, "class_templates") == (2, 0, 4)
    assert [(line, reason) for _, line, reason in report.rejects] == [
        (3, "it has 3 values and the header has 5"),
        (6, "it has 6 values and the header has 5"),
        (8, "it is not UTF-8 text"),
        (9, "it is not UTF-8 text"),
    ]
    assert report.ignored_columns == {"class_templates": ["notes"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no column"),
        ("id,name\n", "class_templates.csv has no column organization_id, duration_minutes"),
        ("id,id,organization_id,name,duration_minutes\n", "more than once"),
        ('id,organization_id,name,duration_minutes\nx,y,"unclosed,60\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_fails_clearly_and_changes_nothing(db, export, content, message):
    export.template()
    run(db, export)
    before = everything(db)
    (export.folder / "class_templates.csv").write_text(content)

    with pytest.raises(legacy_import.ImportFailed, match=message):
        legacy_import.load(db, export.folder)

    assert everything(db) == before
    assert db.execute("select count(*) as n from staging.outcomes").fetchone()["n"] == 1


def test_a_folder_without_exports_is_named(db, tmp_path):
    with pytest.raises(legacy_import.ImportFailed, match="There is none of"):
        legacy_import.load(db, tmp_path)


def test_counts_that_do_not_add_up_undo_everything(db, export):
    export.instance(export.template())
    db.execute(
        "create function staging.lose() returns trigger language plpgsql as"
        " $$ begin delete from staging.outcomes where file = 'class_instances'; return null; end $$"
    )
    db.execute(
        "create trigger lose after insert on staging.outcomes for each statement execute function staging.lose()"
    )

    with pytest.raises(legacy_import.ImportFailed, match="import_does_not_add_up"):
        run(db, export)

    assert db.execute("select count(*) as n from events.series").fetchone()["n"] == 0


def test_two_imports_at_once_do_not_disturb_each_other(db, connect, export):
    instance = export.instance(export.template(capacity=50))
    for _registration in range(50):
        export.registration(instance)
    folder = export.write()
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(legacy_import.load(connect(), folder))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report, "class_registrations") for report in reports) == [(0, 50, 0), (0, 50, 0), (50, 0, 0)]
    assert db.execute("select taken::integer from events.inventory").fetchone() == {"taken": 50}


def test_the_conversion_is_for_the_service_and_the_owner(connect):
    api = connect("marquee_api")
    for role in ("anon", "authenticated"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
            api.execute(f"""select ops.act_as('{{"role": "{role}", "sub": "{uuid4()}"}}')""")
            api.execute("select public.migrate_class_instances_to_events()")
    with api.transaction():
        api.execute("""select ops.act_as('{"role": "service_role"}')""")
        api.execute("select public.migrate_class_instances_to_events()")
        api.execute("select * from staging.rejects")


def test_a_large_export_is_read_row_by_row_and_converted_set_by_set(db, export):
    template = export.template(capacity=None)
    instances = [export.instance(template, SOON + timedelta(hours=number)) for number in range(50)]
    folder = export.write()
    with (folder / "class_registrations.csv").open("w", newline="") as file:
        file.write("id,class_instance_id,customer_id,status\n")
        for number in range(20_000):
            file.write(f"{uuid4()},{instances[number % 50]},{uuid4()},confirmed\n")

    began = datetime.now(UTC)
    report = legacy_import.load(db, folder)

    assert counts(report, "class_registrations") == (20_000, 0, 0)
    assert datetime.now(UTC) - began < timedelta(seconds=30)
    assert db.execute("select sum(taken)::integer as n from events.inventory").fetchone() == {"n": 20_000}


def test_the_command_prints_a_report(db, server, database_name, export):
    instance = export.instance(export.template(capacity=1))
    export.registration(instance, registered_at="2025-01-01 10:00:00+00")
    export.registration(instance, registered_at="2025-01-02 10:00:00+00")
    command = [sys.executable, "-m", "marquee.operations.legacy_import", "--from", str(export.write())]

    done = subprocess.run(
        [*command, "--url", server.url(database_name)],
        cwd=ROOT / "layers/domain",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "class_registrations.csv          2           1           0           1" in done.stdout
    assert "class_registrations.csv, line 3: the class is full: its capacity is 1" in done.stdout


def test_the_command_says_what_is_missing(tmp_path, db, server, database_name):
    done = subprocess.run(
        [sys.executable, "-m", "marquee.operations.legacy_import", "--from", str(tmp_path), "--url",
         server.url(database_name)],
        cwd=ROOT / "layers/domain",
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Nothing was imported." in done.stderr
    assert "class_templates.csv" in done.stderr


def test_the_example_shows_what_is_converted_and_what_is_not(db):
    db.execute(
        "insert into organizations.organizations (slug, name, country, currency, time_zone)"
        " values ('lakeside', 'Lakeside', 'CH', 'CHF', 'Europe/Zurich')"
    )

    report = legacy_import.load(db, ROOT / "demo/import")
    again = legacy_import.load(db, ROOT / "demo/import")

    assert [counts(report, file) for file in legacy_import.REQUIRED] == [(3, 0, 1), (8, 0, 2), (12, 0, 2), (4, 0, 0)]
    assert [counts(again, file) for file in legacy_import.REQUIRED] == [(0, 3, 1), (0, 8, 2), (0, 12, 2), (0, 4, 0)]
    assert [(file, line) for file, line, _ in report.rejects] == [
        ("class_instances.csv", 10), ("class_instances.csv", 11), ("class_registrations.csv", 12),
        ("class_registrations.csv", 14), ("class_templates.csv", 5),
    ]  # fmt: skip
