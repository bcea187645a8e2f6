"""Clean-up deletes expired rows and keeps all others, and roll-up aggregates metrics by hour."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.kit import scheduling

NOW = datetime(2030, 5, 20, 12, 5, tzinfo=UTC)


def clean_up(db, at=NOW, most=5000):
    return db.execute("select ops.clean_up(at => %s, most => %s) as done", [at, most]).fetchone()["done"]


def roll_up(db, at=NOW, hours_most=48):
    return db.execute("select ops.roll_up_metrics(at => %s, hours_most => %s) as done", [at, hours_most]).fetchone()[
        "done"
    ]


def count(db, table):
    return db.execute(f"select count(*) as n from {table}").fetchone()["n"]


def record_metric(db, at, value, name="x"):
    db.execute(
        "select ops.record_metrics(%s)",
        [Jsonb([{"name": name, "value": value, "unit": "u", "recorded_at": at.isoformat()}])],
    )


def test_idempotency_keys_are_kept_for_a_week(db):
    for days in (6.9, 7.1):
        db.execute(
            "insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response, created_at)"
            " values (%s, 'book', 'k', '', '', %s)",
            [uuid4(), NOW - timedelta(days=days)],
        )

    assert clean_up(db)["idempotency_keys"] == 1
    assert count(db, "ops.idempotency_keys") == 1


def test_relayed_messages_are_deleted_after_a_week_and_others_are_kept(db):
    for days, state in ((6, "relayed_at"), (8, "relayed_at"), (400, "parked_at"), (400, None)):
        at = NOW - timedelta(days=days)
        db.execute(
            f"insert into public.outbox (topic, key, payload, created_at{', ' + state if state else ''})"
            f" values ('x', %s, '{{}}', %s{', %s' if state else ''})",
            [str(days), at, *([at] if state else [])],
        )

    assert clean_up(db)["messages"] == 1
    assert sorted(row["key"] for row in db.execute("select key from public.outbox").fetchall()) == ["400", "400", "6"]


def test_full_rate_limit_buckets_are_deleted(db):
    for subject, full_at in (("full", NOW), ("filling", NOW + timedelta(seconds=1))):
        db.execute(
            "insert into ops.rate_limits (operation, subject, full_at) values ('book', %s, %s)", [subject, full_at]
        )

    assert clean_up(db)["rate_limits"] == 1
    assert db.execute("select subject from ops.rate_limits").fetchone() == {"subject": "filling"}


def test_expired_holds_without_references_are_deleted_after_a_month(db):
    world = scheduling.world(db)
    event_id = scheduling.make_event(world)["id"]
    old = NOW - timedelta(days=31)
    rows = [("expired", old), ("expired", NOW - timedelta(days=5)), ("active", old), ("consumed", old)]
    holds = [
        db.execute(
            "insert into events.holds (event_id, customer_id, seats, purpose, status, expires_at)"
            " values (%s, %s, 1, 'online', %s, %s) returning id",
            [event_id, world.customer, status, at],
        ).fetchone()["id"]
        for status, at in rows
    ]
    booking_id = scheduling.book(world, event_id, world.second_customer)
    db.execute("update events.bookings set hold_id = %s where id = %s", [holds[3], booking_id])

    assert clean_up(db)["holds"] == 1
    left = {row["id"] for row in db.execute("select id from events.holds").fetchall()}
    assert left == set(holds[1:])
    inventory = db.execute("select held::integer from events.inventory where event_id = %s", [event_id]).fetchone()
    assert inventory == {"held": 1}


def test_job_runs_and_deliveries_are_kept_for_a_month(db):
    for days in (29, 31):
        at = NOW - timedelta(days=days)
        db.execute("insert into ops.job_runs (job, started_at) values ('x', %s)", [at])
        db.execute(
            "insert into messaging.deliveries (outbox_id, channel, recipient, status, created_at)"
            " values (%s, 'email', 'x@example.org', 'sent', %s)",
            [days, at],
        )

    done = clean_up(db)

    assert (done["job_runs"], done["deliveries"]) == (1, 1)


def test_clean_up_is_bounded_and_reports_more(db):
    db.execute("insert into ops.job_runs (job, started_at) select 'x', '2001-01-01' from generate_series(1, 25)")

    outcomes = [(done["job_runs"], done["more"]) for done in (clean_up(db, most=10) for _ in range(4))]

    assert outcomes == [(10, True), (10, True), (5, False), (0, False)]


def test_clean_up_skips_locked_rows(db, connect):
    db.execute("insert into ops.rate_limits (operation, subject, full_at) values ('book', 'a', %s)", [NOW])
    user = connect(autocommit=False)
    user.execute("select from ops.rate_limits for update")
    db.execute("set statement_timeout = '2s'")

    assert clean_up(db)["rate_limits"] == 0
    user.rollback()
    assert clean_up(db)["rate_limits"] == 1


def test_metrics_are_aggregated_by_hour(db):
    hour = NOW.replace(hour=9, minute=0)
    for minutes, value in ((0, 1.0), (30, 3.0), (59, 8.0), (60, 100.0)):
        record_metric(db, hour + timedelta(minutes=minutes), value)

    assert roll_up(db) == {"hours": 2, "more": False}

    rows = db.execute("select * from ops.performance_metrics_hourly order by hour").fetchall()
    assert [(row["hour"], row["count"], row["sum"], row["minimum"], row["maximum"], row["p50"]) for row in rows] == [
        (hour, 3, 12.0, 1.0, 8.0, 3.0),
        (hour + timedelta(hours=1), 1, 100.0, 100.0, 100.0, 100.0),
    ]


def test_hour_is_aggregated_after_its_end_and_includes_late_measurements(db):
    record_metric(db, NOW - timedelta(minutes=20), 1.0)  # 11:45
    assert roll_up(db)["hours"] == 0  # at 12:05 the hour has only just ended
    assert roll_up(db, NOW + timedelta(minutes=5))["hours"] == 1
    record_metric(db, NOW - timedelta(minutes=10), 2.0)  # 11:55, recorded late

    roll_up(db, NOW + timedelta(hours=1))

    row = db.execute("select count, sum from ops.performance_metrics_hourly").fetchone()
    assert row == {"count": 2, "sum": 3.0}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_hours_are_in_utc_whatever_the_sessions_time_zone(db, zone):
    db.execute(f"set timezone = '{zone}'")
    record_metric(db, NOW.replace(hour=9, minute=10), 1.0)

    roll_up(db)

    hour = db.execute("select hour from ops.performance_metrics_hourly").fetchone()["hour"]
    assert hour == NOW.replace(hour=9, minute=0)


def test_roll_up_skips_a_long_gap_in_measurements(db):
    record_metric(db, NOW - timedelta(days=20), 1.0)
    record_metric(db, NOW - timedelta(days=5), 2.0)
    calls = 0
    while roll_up(db)["more"]:
        calls += 1
        assert calls < 20

    assert count(db, "ops.performance_metrics_hourly") == 2


def test_raw_metrics_are_deleted_after_a_month_if_they_are_aggregated(db):
    old, fresh = NOW - timedelta(days=31), NOW - timedelta(days=1)
    record_metric(db, old, 1.0)
    record_metric(db, fresh, 2.0)
    assert clean_up(db)["metrics"] == 0  # not aggregated yet

    while roll_up(db)["more"]:
        pass
    assert clean_up(db)["metrics"] == 1

    assert db.execute("select value from ops.performance_metrics").fetchone() == {"value": 2.0}
    assert count(db, "ops.performance_metrics_hourly") == 2


def test_hourly_metrics_are_kept_for_thirteen_months(db):
    for days in (390, 400):
        db.execute(
            "insert into ops.performance_metrics_hourly values (%s, 'x', 'u', 1, 1, 1, 1, 1, 1)",
            [NOW - timedelta(days=days)],
        )

    assert clean_up(db)["metrics_hourly"] == 1


def test_complete_events_skips_a_locked_event(db, connect):
    world = scheduling.world(db)
    events = [scheduling.make_event(world)["id"] for _ in range(2)]
    editor = connect(autocommit=False)
    editor.execute("select from events.events where id = %s for update", [events[0]])
    later = datetime.now(UTC) + timedelta(days=10)
    db.execute("set statement_timeout = '3s'")

    done = [
        db.execute("select ops.complete_events(at => %s) as d", [later]).fetchone()["d"]["completed"] for _ in range(2)
    ]
    editor.rollback()

    assert done == [1, 0]
    assert db.execute("select ops.complete_events(at => %s) as d", [later]).fetchone()["d"]["completed"] == 1
