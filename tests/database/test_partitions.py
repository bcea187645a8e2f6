"""Test partitions: UTC months are created ahead, every time is accepted, no row is lost, and none is exposed."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from marquee.core.settings import LOGINS
from tests.kit import gateway, scheduling


@pytest.fixture
def world(db):
    return scheduling.world(db)


def insert_event(db, world, starts_at, capacity=10):
    """Insert an event at any time, however far away."""
    event_id = uuid4()
    db.execute(
        """
        insert into events.events (
            id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy
        )
        values (%s, %s, %s, %s, 'Far', 'en', 'Europe/Zurich', 'CHF', '{"closes_minutes_before": 15}')
        """,
        [event_id, starts_at, starts_at + timedelta(hours=1), world.organization_id],
    )
    db.execute("insert into events.inventory (event_id, capacity) values (%s, %s)", [event_id, capacity])
    return event_id


def partition_of(db, event_id):
    return db.execute("select tableoid::regclass::text as p from events.events where id = %s", [event_id]).fetchone()[
        "p"
    ]


def maintain(db, at=None):
    row = db.execute("select ops.maintain_partitions(coalesce(%s, statement_timestamp())) as done", [at]).fetchone()
    return row["done"]


def bounds(db, table="events.events"):
    return db.execute(
        "select partition::text, starts_at, ends_at from ops.partition_bounds(%s) where starts_at is not null", [table]
    ).fetchall()


def month_after(at, months):
    number = at.year * 12 + at.month - 1 + months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def test_migration_creates_partitions_from_last_month_to_18_months_ahead(db):
    now = db.execute("select now() as now").fetchone()["now"].astimezone(UTC)

    assert [row["starts_at"] for row in bounds(db)] == [month_after(now, months) for months in range(-1, 19)]
    assert all(row["ends_at"] == month_after(row["starts_at"], 1) for row in bounds(db))
    assert bounds(db)[1]["partition"] == now.strftime("events.events_%Y_%m")


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
def test_bounds_do_not_depend_on_the_sessions_time_zone(db, zone):
    db.execute(f"set timezone = '{zone}'")

    done = maintain(db, datetime(2031, 1, 1, 3, tzinfo=UTC))
    db.execute("select ops.create_partition('events.events', '2040-03-01')")

    db.execute("set timezone = 'UTC'")
    assert done["failed"] == []
    assert all(
        (row["starts_at"].astimezone(UTC).day, row["starts_at"].astimezone(UTC).hour) == (1, 0) for row in bounds(db)
    )
    names = {row["partition"]: row["starts_at"] for row in bounds(db)}
    assert names["events.events_2030_12"] == datetime(2030, 12, 1, tzinfo=UTC)
    assert names["events.events_2032_07"] == datetime(2032, 7, 1, tzinfo=UTC)
    assert "events.events_2030_11" not in names


def test_rows_outside_all_partitions_go_to_the_default_partition(db, world):
    early = insert_event(db, world, datetime(1999, 12, 31, 23, 30, tzinfo=UTC))
    late = insert_event(db, world, datetime(2099, 1, 1, tzinfo=UTC))

    assert {partition_of(db, early), partition_of(db, late)} == {"events.events_default"}
    states = db.execute("select * from ops.partition_states() where table_name = 'events.events'").fetchone()
    assert states["in_default"] == 2


def test_default_partition_rows_move_into_their_month_with_related_rows(db, world):
    now = datetime.now(UTC)
    starts_at = month_after(now, 20) + timedelta(days=3, hours=5)
    event_id = insert_event(db, world, starts_at)
    booking_id = scheduling.book(world, event_id, world.customer, 2)
    before = db.execute("select * from events.terms where event_id = %s", [event_id]).fetchone()
    row_before = db.execute("select * from events.events where id = %s", [event_id]).fetchone()

    done = maintain(db, now + timedelta(days=65))

    assert (done["moved"], done["in_default"], done["failed"]) == (1, 0, [])
    assert partition_of(db, event_id) == starts_at.strftime("events.events_%Y_%m")
    assert db.execute("select * from events.terms where event_id = %s", [event_id]).fetchone() == before
    assert db.execute("select * from events.events where id = %s", [event_id]).fetchone() == row_before
    booking = db.execute("select status::text, event_id from events.bookings where id = %s", [booking_id]).fetchone()
    assert booking == {"status": "confirmed", "event_id": event_id}
    assert db.execute("select taken::integer from events.inventory where event_id = %s", [event_id]).fetchone() == {
        "taken": 2
    }


@pytest.mark.parametrize("months", [19, 30, 59])
def test_event_that_is_planned_far_ahead_gets_its_partition_and_is_healthy(db, world, months):
    now = datetime.now(UTC)
    starts_at = month_after(now, months) + timedelta(hours=5)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    event = scheduling.make_event(world, **times)
    scheduling.book(world, event["id"], world.customer)

    def figure():
        checked = db.execute("select ops.check_health() -> 'checks' as checks").fetchone()["checks"]
        return checked["default_partition_rows"], checked["partition_months_ahead"]

    assert figure() == ("healthy", "healthy")
    done = maintain(db)

    assert (done["created"], done["moved"], done["in_default"], done["failed"]) == (1, 1, 0, [])
    assert partition_of(db, event["id"]) == starts_at.strftime("events.events_%Y_%m")
    assert figure() == ("healthy", "healthy")
    assert maintain(db)["created"] == 0


def test_event_that_is_moved_far_ahead_gets_its_partition(db, world):
    event = scheduling.make_event(world)
    starts_at = month_after(datetime.now(UTC), 40)
    body = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    assert gateway.patch("manage-events", f"/events/{event['id']}", body, caller=world.owner).status == 200

    assert maintain(db)["moved"] == 1
    assert partition_of(db, event["id"]) == starts_at.strftime("events.events_%Y_%m")


def test_rows_of_existing_months_and_of_the_past_are_a_fault_of_the_default_partition(db, world):
    now = datetime.now(UTC)
    insert_event(db, world, datetime(2001, 1, 1, tzinfo=UTC))
    late = month_after(now, 19)
    insert_event(db, world, late)

    def in_default(at):
        query = "select in_default from ops.partition_states(%s) where table_name = 'events.events'"
        return db.execute(query, [at]).fetchone()["in_default"]

    assert in_default(now) == 1
    assert in_default(now + timedelta(days=45)) == 2  # its month should exist by then


def test_row_move_sends_no_message_and_records_no_history(db, world):
    starts_at = month_after(datetime.now(UTC), 20)
    event_id = insert_event(db, world, starts_at)
    scheduling.book(world, event_id, world.customer)
    scheduling.topics(world)

    maintain(db, datetime.now(UTC) + timedelta(days=65))

    assert scheduling.topics(world) == []
    assert (
        db.execute("select count(*) as n from ops.state_history where subject_id = %s", [event_id]).fetchone()["n"] == 0
    )


def all_rows(db):
    """Return all rows of every table, except the metrics of the run."""
    tables = db.execute(
        "select c.oid::regclass::text as name from pg_class as c where c.relkind in ('r', 'p') and not c.relispartition"
        " and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema') order by 1"
    ).fetchall()
    return {
        row["name"]: db.execute(f"select to_jsonb(t) as r from {row['name']} as t order by to_jsonb(t)").fetchall()
        for row in tables
    }


def test_row_move_changes_no_row_of_any_table(db, world):
    """Move events with holds, an open offer and a listing: a shift by a thousand years would end them."""
    starts_at = month_after(datetime.now(UTC), 20) + timedelta(days=3)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    names = {"location_id": str(world.location_id), "instructor_id": str(world.instructor_id)}
    held = scheduling.make_event(world, **times, **names)
    offered = scheduling.make_event(world, **times, capacity=1)
    public = {"policy": Jsonb({"closes_minutes_before": 15, "opens_days_before": 4000})}
    db.execute("update events.events set policy = %(policy)s", public)
    hold = "insert into events.holds (event_id, customer_id, seats, purpose, expires_at, held_by)"
    for purpose in ("online", "desk"):
        db.execute(
            f"{hold} values (%s, %s, 1, %s, now() + interval '10 minutes', %s)",
            [held["id"], world.customer, purpose, world.customer],
        )
    booking_id = scheduling.book(world, offered["id"], world.customer)
    scheduling.wait(world, offered["id"], world.second_customer)
    assert gateway.post("cancel", f"/bookings/{booking_id}/cancel", caller=world.owner).status == 200
    scheduling.make_event(world, **times, status="draft")
    scheduling.make_event(world)
    before = all_rows(db)
    assert {row["r"]["status"] for row in before["events.waitlist_entries"]} == {"offered"}
    assert {row["r"]["event_id"] for row in before["events.listings"]} >= {held["id"], offered["id"]}
    assert before["events.scarce_listings"] != []

    moved = db.execute("select ops.create_partition('events.events', %s) as n", [starts_at.date()]).fetchone()["n"]

    assert moved == 3
    after = all_rows(db)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_metrics_move_out_of_the_default_partition(db):
    at = month_after(datetime.now(UTC), 5)
    db.execute("insert into ops.performance_metrics (recorded_at, name, value, unit) values (%s, 'x', 1, 'u')", [at])

    done = maintain(db, at - timedelta(days=40))

    assert done["moved"] == 1
    row = db.execute("select tableoid::regclass::text as p, recorded_at from ops.performance_metrics").fetchone()
    assert row == {"p": at.strftime("ops.performance_metrics_%Y_%m"), "recorded_at": at}


def test_partitions_have_row_security_and_grant_nothing(db, connect, world):
    maintain(db, datetime.now(UTC) + timedelta(days=400))
    open_ones = db.execute(
        """
        select c.oid::regclass::text as name
        from pg_class as c
        inner join pg_inherits as i on i.inhrelid = c.oid
        where c.relkind in ('r', 'p') and (
            not c.relrowsecurity
            or has_table_privilege('anon', c.oid, 'select') or has_table_privilege('authenticated', c.oid, 'select')
            or has_table_privilege('authenticated', c.oid, 'update') or has_table_privilege('anon', c.oid, 'update')
            or has_table_privilege('service_role', c.oid, 'insert, update, delete, truncate')
        )
        """
    ).fetchall()
    assert [row["name"] for row in open_ones if not row["name"].endswith("_default")] == []
    assert open_ones == []

    event_id = insert_event(db, world, datetime.now(UTC) + timedelta(days=5))
    partition = partition_of(db, event_id)
    for role in ("anon", "authenticated", "service_role"):
        api = connect(LOGINS[role])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
            api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(world.customer)})])
            api.execute(f"update {partition} set price_cents = 0")


def test_only_whole_months_past_retention_are_dropped(db):
    db.execute("update ops.partition_policies set retention_months = 2 where table_name = 'ops.performance_metrics'")
    at = datetime(2031, 6, 15, tzinfo=UTC)
    for months in range(-6, 1):
        db.execute("select ops.create_partition('ops.performance_metrics', %s)", [month_after(at, months).date()])

    done = maintain(db, at)

    assert max(done["dropped"]) == "ops.performance_metrics_2031_03"
    kept = [row["partition"] for row in bounds(db, "ops.performance_metrics")]
    assert kept[0] == "ops.performance_metrics_2031_04"


def test_partition_with_booked_events_is_never_dropped(db, world):
    db.execute("update ops.partition_policies set retention_months = 1 where table_name = 'events.events'")
    starts_at = datetime.now(UTC) + timedelta(days=3)
    event_id = insert_event(db, world, starts_at)
    scheduling.book(world, event_id, world.customer)
    partition = partition_of(db, event_id)

    done = maintain(db, datetime.now(UTC) + timedelta(days=1500))

    assert done["kept"] == [partition]
    assert partition not in done["dropped"]
    assert len(done["dropped"]) >= 15
    assert partition_of(db, event_id) == partition


def test_partition_without_retention_is_never_dropped(db):
    before = {row["partition"] for row in bounds(db)}

    done = maintain(db, datetime.now(UTC) + timedelta(days=4000))

    assert before <= {row["partition"] for row in bounds(db)}
    assert not [name for name in done["dropped"] if name.startswith("events.")]


def test_second_maintenance_changes_nothing(db):
    maintain(db)
    before = bounds(db)

    done = maintain(db)

    assert (done["created"], done["moved"], done["dropped"]) == (0, 0, [])
    assert bounds(db) == before


def test_concurrent_maintenance_runs_do_not_fail(db, connect):
    at = datetime.now(UTC) + timedelta(days=200)
    outcomes = []

    def work():
        outcomes.append(maintain(connect(), at))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done["created"] > 0 for done in outcomes) == [False, False, True]
    assert [done["failed"] for done in outcomes] == [[], [], []]


def test_bookings_continue_during_partition_maintenance(db, connect, world):
    event_id = insert_event(db, world, datetime.now(UTC) + timedelta(days=5), capacity=1000)
    customers = [uuid4() for _ in range(60)]
    with db.cursor() as cursor:
        cursor.executemany("insert into users.profiles (id) values (%s)", [(customer,) for customer in customers])
    done = threading.Event()

    def book_all():
        connection = connect()
        for customer in customers:
            with connection.transaction():
                connection.execute(
                    "select set_config('request.jwt.claims', %s::jsonb::text, true)",
                    [Jsonb({"sub": str(customer), "role": "authenticated"})],
                )
                connection.execute("select events.book(event_id => %s, seats => 1)", [event_id])
        done.set()

    booker = threading.Thread(target=book_all)
    booker.start()
    months = 1
    while not done.is_set() and months < 200:
        maintain(db, datetime.now(UTC) + timedelta(days=31 * months))
        months += 1
    booker.join(timeout=30)

    assert done.is_set()
    taken = db.execute("select taken::integer from events.inventory where event_id = %s", [event_id]).fetchone()
    assert taken == {"taken": 60}


def partitions_read(connection, statement, *params):
    """Return how many scans of event partitions a statement starts."""
    scans = """
        select coalesce(sum(s.seq_scan + coalesce(s.idx_scan, 0)), 0)::integer as n
        from pg_stat_xact_user_tables as s
        inner join pg_inherits as i on i.inhrelid = s.relid
        where i.inhparent = 'events.events'::regclass
    """
    with connection.transaction():
        before = connection.execute(scans).fetchone()["n"]
        connection.execute(statement, params)
        return connection.execute(scans).fetchone()["n"] - before


def test_booking_reads_no_partition(db, connect, world):
    event_id = insert_event(db, world, datetime.now(UTC) + timedelta(days=5))
    connection = connect()
    connection.execute("select set_config('request.jwt.claims', %s, false)", [f'{{"sub": "{world.customer}"}}'])

    assert partitions_read(connection, "select events.book(event_id => %s, seats => 1)", event_id) == 0

    plan_of_terms = connection.execute("explain select * from events.terms where event_id = %s", [event_id]).fetchall()
    assert not [line for line in plan_of_terms if "events_" in line["QUERY PLAN"]]


def test_event_lookup_by_id_reads_one_partition(db, connect, world):
    event_id = insert_event(db, world, datetime.now(UTC) + timedelta(days=300))

    read = partitions_read(
        connect(),
        "select e.title from events.events as e where e.id = %s"
        " and e.starts_at = (select t.starts_at from events.terms as t where t.event_id = %s)",
        event_id,
        event_id,
    )
    assert read == 1
    payload = Jsonb({"event_id": str(event_id), "customer_id": str(world.customer)})
    assert partitions_read(connect(), "select * from messaging.recipients('booking.confirmed', %s)", payload) == 1


def test_unknown_time_zones_are_deleted_unless_in_use(db, world):
    db.execute("insert into ref.timezones (name) values ('Atlantis/Capital'), ('Atlantis/Harbour')")
    db.execute(
        "update organizations.organizations set time_zone = 'Atlantis/Harbour' where id = %s", [world.organization_id]
    )
    db.execute("delete from ref.timezones where name = 'Asia/Tokyo'")

    db.execute("select ops.after_migration()")

    names = {row["name"] for row in db.execute("select name from ref.timezones").fetchall()}
    assert "Atlantis/Harbour" in names
    assert "Atlantis/Capital" not in names
    assert "Asia/Tokyo" in names
