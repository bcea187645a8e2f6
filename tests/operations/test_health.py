"""Health checks: each check detects its problem, and the summary reports when the checks stop."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from marquee.core.settings import LOGINS
from tests.kit import scheduling

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operate" / "health.md"


def check(db, at=None, database_ms=5.0):
    """Run the checks and return their rows by name."""
    db.execute(
        "select ops.check_health(database_ms => %s, at => coalesce(%s, statement_timestamp()))", [database_ms, at]
    )
    rows = db.execute("select * from ops.health_checks where value is not null").fetchall()
    return {row["name"]: row for row in rows}


def summary(db, at=None):
    row = db.execute("select ops.get_system_health_summary(coalesce(%s, statement_timestamp())) as s", [at]).fetchone()
    return row["s"]


@pytest.fixture(autouse=True)
def _fresh(db):
    """Start the deadlines of all jobs now, because the template database may be old."""
    db.execute("update ops.jobs set expected_since = now()")


@pytest.fixture
def world(db):
    return scheduling.world(db)


def test_health_page_lists_every_job(db):
    told = DOCS.read_text().partition("## Jobs")[2].partition("\n## ")[0]
    jobs = [row["name"] for row in db.execute("select j.name from ops.jobs as j").fetchall()]

    assert sorted(re.findall(r"^\| `(\w+)`", told, re.MULTILINE)) == sorted(jobs)


def test_new_system_is_healthy(db):
    checks = check(db)

    assert {row["status"] for row in checks.values()} == {"healthy"}
    assert set(checks) == {
        "booking_counters_drifted",
        "database_response_ms",
        "default_partition_rows",
        "delivery_age_seconds",
        "expired_hold_age_seconds",
        "jobs_failing",
        "jobs_late",
        "outbox_lag_seconds",
        "outbox_parked",
        "partition_maintenance_failed",
        "time_zones_differing",
        "ledger_unbalanced_currencies",
        "ledger_findings",
        "reconciliation_differences",
        "rating_items_failing",
        "rating_queue_age_seconds",
        "refunds_failed",
        "unsealed_entry_age_seconds",
        "partition_months_ahead",
        "waitlist_offer_delay_seconds",
        "webhook_inbox_age_seconds",
        "webhooks_parked",
    }


@pytest.mark.parametrize(
    ("milliseconds", "status"),
    [(5, "healthy"), (99.9, "healthy"), (100, "warning"), (499, "warning"), (500, "critical")],
)
def test_database_status_depends_on_its_response_time(db, milliseconds, status):
    assert check(db, database_ms=milliseconds)["database_response_ms"]["status"] == status


def test_drifted_counter_is_critical(db, world):
    event_id = scheduling.make_event(world)["id"]
    scheduling.book(world, event_id, world.customer)
    assert check(db)["booking_counters_drifted"]["status"] == "healthy"

    db.execute("update events.inventory set taken = taken + 1 where event_id = %s", [event_id])

    found = check(db)["booking_counters_drifted"]
    assert (found["status"], found["value"], found["details"]) == ("critical", 1, {"events": [event_id]})


@pytest.mark.parametrize("column", ["taken", "held", "waitlisted"])
def test_each_counter_is_compared_with_its_rows(db, world, column):
    event_id = scheduling.make_event(world)["id"]

    db.execute(f"update events.inventory set {column} = 3 where event_id = %s", [event_id])

    rows = db.execute("select * from ops.count_drift(%s::uuid[])", [[event_id]]).fetchall()
    assert [(str(row["event_id"]), row["counted"][column], row["found"][column]) for row in rows] == [(event_id, 3, 0)]


def test_counters_are_verified_in_pages(db, world):
    events = [scheduling.make_event(world)["id"] for _ in range(5)]
    for event_id in events[::2]:
        db.execute("update events.inventory set held = 1 where event_id = %s", [event_id])
    checked, drifted, after = 0, [], None
    for _page in range(4):
        page = db.execute("select ops.verify_counters(after => %s, most => 2) as page", [after]).fetchone()["page"]
        checked, drifted, after = checked + page["checked"], drifted + page["drifted"], page["last"]
        if after is None:
            break

    assert (checked, sorted(drifted)) == (5, sorted(events[::2]))


def test_delay_of_a_free_seat_grows_until_it_is_offered(db, world):
    event_id = scheduling.make_event(world, capacity=1)["id"]
    scheduling.book(world, event_id, world.customer)
    scheduling.wait(world, event_id, world.second_customer)
    at = datetime.now(UTC)
    assert check(db, at)["waitlist_offer_delay_seconds"]["value"] == 0

    db.execute("update events.inventory set capacity = 2 where event_id = %s", [event_id])
    ages = []
    for minutes in (1, 2, 6, 7):
        found = check(db, at + timedelta(minutes=minutes))["waitlist_offer_delay_seconds"]
        ages.append((found["value"], found["status"]))
    assert ages == [(0, "healthy"), (60, "warning"), (300, "critical"), (360, "critical")]

    db.execute("select events.offer_seats(event_id => %s)", [event_id])
    found = check(db, at + timedelta(minutes=8))["waitlist_offer_delay_seconds"]
    assert (found["value"], found["status"]) == (0, "healthy")


def test_hold_past_its_expiry_is_a_warning(db, world):
    event_id = scheduling.make_event(world)["id"]
    db.execute(
        "insert into events.holds (event_id, customer_id, seats, purpose, expires_at)"
        " values (%s, %s, 1, 'online', now() - interval '3 minutes')",
        [event_id, world.customer],
    )

    found = check(db)["expired_hold_age_seconds"]

    assert found["status"] == "warning"
    assert 180 <= found["value"] < 190


def test_outbox_is_checked_by_age_of_pending_and_number_of_parked_messages(db):
    db.execute(
        "insert into public.outbox (topic, key, payload, created_at)"
        " values ('booking.confirmed', 'a', '{}', now() - interval '6 minutes')"
    )
    db.execute("insert into public.outbox (topic, key, payload, parked_at) values ('x', 'b', '{}', now())")

    checks = check(db)

    assert checks["outbox_lag_seconds"]["status"] == "critical"
    assert 360 <= checks["outbox_lag_seconds"]["value"] < 370
    assert (checks["outbox_parked"]["status"], checks["outbox_parked"]["value"]) == ("warning", 1)


def test_unfinished_email_is_a_warning(db):
    db.execute(
        "insert into messaging.deliveries (outbox_id, channel, recipient, status, created_at)"
        " values (1, 'email', 'x@example.org', 'sending', now() - interval '20 minutes')"
    )

    assert check(db)["delivery_age_seconds"]["status"] == "warning"


def test_missing_future_partitions_are_reported(db):
    later = datetime.now(UTC)

    assert check(db, later + timedelta(days=62))["partition_months_ahead"]["status"] == "warning"
    assert check(db, later + timedelta(days=130))["partition_months_ahead"]["status"] == "critical"


def test_rows_in_a_default_partition_are_a_warning(db):
    db.execute(
        "insert into ops.performance_metrics (recorded_at, name, value, unit) values ('2001-01-01', 'x', 1, 'u')"
    )

    found = check(db)["default_partition_rows"]

    assert (found["status"], found["details"]) == ("warning", {"ops.performance_metrics": 1})


def test_pending_and_parked_stripe_events_are_a_warning(db):
    received = datetime.now(UTC) - timedelta(minutes=6)
    for number, status in enumerate(("received", "parked", "ignored"), 1):
        db.execute(
            "insert into payments.webhook_inbox (event_id, type, livemode, created_at, payload, received_at,"
            " available_at, status, last_error, handled_at) values (%s, 'x', false, %s, '{}', %s, %s, %s, 'why',"
            " case when %s = 'ignored' then now() end)",
            [f"evt_{number}", received, received, received, status, status],
        )

    checks = check(db)

    assert checks["webhook_inbox_age_seconds"]["status"] == "warning"
    assert (checks["webhooks_parked"]["status"], checks["webhooks_parked"]["details"]) == ("warning", {"evt_2": "x"})


def test_figures_count_more_rows_than_their_details_name(db):
    db.execute(
        """
        insert into payments.webhook_inbox (
            event_id, type, livemode, created_at, payload, received_at, available_at, status, last_error
        )
        select 'evt_' || n, 'x', false, now(), '{}', now(), now(), 'parked', 'why' from generate_series(1, 130) as n
        """
    )
    db.execute(
        """
        insert into payments.differences (source_id, currency, reason, stripe_cents, ledger_cents)
        select 're_' || n, 'CHF', 'not_in_ledger', 1, 0 from generate_series(1, 130) as n
        """
    )

    checks = check(db)

    for name in ("webhooks_parked", "reconciliation_differences"):
        assert (checks[name]["value"], len(checks[name]["details"])) == (130, 100)


def test_stopped_scheduler_is_critical(db):
    now = datetime.now(UTC)
    assert check(db, now)["jobs_late"]["value"] == 0

    found = check(db, now + timedelta(minutes=6))["jobs_late"]

    assert found["status"] == "critical"
    assert found["details"] == {"jobs": ["deliver_webhooks", "health", "promote_waitlist", "relay_outbox"]}


def test_lateness_of_a_job_counts_from_its_last_success(db):
    now = datetime.now(UTC)
    for job, succeeded in (("relay_outbox", False), ("promote_waitlist", True)):
        db.execute(
            "insert into ops.job_runs (job, started_at, finished_at, succeeded) values (%s, %s, %s, %s)",
            [job, now + timedelta(minutes=5), now + timedelta(minutes=5), succeeded],
        )

    assert check(db, now + timedelta(minutes=6))["jobs_late"]["details"] == {
        "jobs": ["deliver_webhooks", "health", "relay_outbox"]
    }


def test_failed_job_is_reported_until_a_run_succeeds(db):
    run_id = db.execute("select ops.begin_job('partitions') as id").fetchone()["id"]
    db.execute("select ops.finish_job(%s, null, 'disk full')", [run_id])

    checks = check(db)
    assert checks["jobs_failing"]["details"] == {"partitions": "disk full"}
    assert checks["partition_maintenance_failed"]["value"] == 1

    run_id = db.execute("select ops.begin_job('partitions') as id").fetchone()["id"]
    assert check(db)["jobs_failing"]["value"] == 1  # the second run has not finished
    db.execute("select ops.finish_job(%s, '{}')", [run_id])
    assert check(db)["jobs_failing"]["value"] == 0


def test_check_keeps_the_time_of_its_last_status_change(db):
    at = datetime.now(UTC)
    check(db, at)
    check(db, at + timedelta(minutes=1))
    assert check(db, at + timedelta(minutes=1))["database_response_ms"]["changed_at"] == at

    changed = check(db, at + timedelta(minutes=2), database_ms=600)["database_response_ms"]

    assert changed["changed_at"] == at + timedelta(minutes=2)


def test_summary_has_the_status_of_the_worst_check(db):
    check(db)
    assert summary(db)["status"] == "healthy"
    db.execute("insert into public.outbox (topic, key, payload, parked_at) values ('x', 'b', '{}', now())")
    check(db)
    assert summary(db)["status"] == "warning"
    check(db, database_ms=900)
    assert summary(db)["status"] == "critical"


def test_summary_is_critical_when_the_checks_stop(db):
    assert summary(db)["status"] == "critical"
    at = datetime.now(UTC)
    check(db, at)

    assert summary(db, at + timedelta(minutes=5))["status"] == "healthy"
    assert summary(db, at + timedelta(minutes=5, seconds=1))["status"] == "critical"


def test_summary_contains_checks_alerts_jobs_and_figures(db):
    check(db)

    found = summary(db)

    assert set(found) == {"status", "checked_at", "books", "checks", "alerts", "jobs", "figures"}
    assert found["checks"]["outbox_lag_seconds"] | {"since": None} == {
        "status": "healthy", "value": 0, "unit": "seconds", "since": None, "details": {"since": None},
    }  # fmt: skip
    assert [job["job"] for job in found["jobs"]] == [
        "calibrate_ratings", "catch_up_stripe", "clean_up", "complete_events", "deliver_webhooks", "expire_credits",
        "generate_events", "health", "list_stripe_balance", "make_exports", "mark_no_shows", "partitions",
        "process_ratings", "promote_waitlist", "reconcile_stripe", "refresh_listings", "relay_outbox", "seal_ledger",
        "send_reminders", "settle_payments", "time_zones", "verify_ledger",
    ]  # fmt: skip


def test_booking_performance_summary_combines_metrics_and_messages(db, world):
    check(db)
    event_id = scheduling.make_event(world)["id"]
    scheduling.book(world, event_id, world.customer)
    scheduling.book(world, event_id, world.second_customer)
    samples = [
        {"name": "booking_operation_duration", "value": value, "unit": "milliseconds", "tags": {"operation": "book"}}
        for value in (10, 20, 30)
    ]
    errors = {"name": "request_errors", "value": 1, "unit": "requests", "tags": {"of": 50}}
    db.execute("select ops.record_metrics(%s)", [Jsonb([*samples, errors])])
    check(db)

    figures = db.execute("select public.get_booking_performance_summary() as s").fetchone()["s"]

    assert figures == {
        "operations": {"book": {"count": 3, "average_ms": 20.0, "p95_ms": 29.0, "maximum_ms": 30}},
        "happenings": {"booking.confirmed": 2},
        "requests": 50,
        "error_rate_percent": 2,
    }


def test_names_of_the_earlier_system_return_the_figures(db):
    run_id = db.execute("select ops.begin_job('clean_up') as id").fetchone()["id"]
    db.execute("select ops.finish_job(%s, '{}')", [run_id])
    check(db)

    assert db.execute("select public.get_system_health_summary() ->> 'status' as s").fetchone()["s"] == "healthy"
    status = {row["jobname"]: row for row in db.execute("select * from public.get_cron_job_status()").fetchall()}
    assert status["clean_up"]["last_success"] is not None
    history = db.execute("select * from public.get_cron_job_history(24)").fetchall()
    assert [(row["jobname"], row["status"]) for row in history] == [("clean_up", "succeeded")]
    assert db.execute("select count(*) as n from public.health_checks").fetchone()["n"] == 22
    metric = "select avg(metric_value) as n from public.performance_metrics where metric_name = 'database_response_ms'"
    assert db.execute(metric).fetchone()["n"] == 5


def test_checks_take_under_a_second_with_many_bookings(db, world):
    event_id = scheduling.make_event(world, capacity=100000)["id"]
    db.execute(
        """
        insert into users.profiles (id) select gen_random_uuid() from generate_series(1, 20000)
        """
    )
    db.execute(
        """
        insert into events.bookings (
            event_id, organization_id, customer_id, seats, status, payment_method, price_cents, currency, policy
        )
        select %s, %s, p.id, 1, 'confirmed', 'none', 0, 'CHF', '{}' from users.profiles as p
        """,
        [event_id, world.organization_id],
    )
    db.execute(
        "insert into public.outbox (topic, key, payload, relayed_at)"
        " select 'booking.confirmed', %s, '{}', now() from generate_series(1, 20000)",
        [event_id],
    )

    began = datetime.now(UTC)
    check(db)

    assert datetime.now(UTC) - began < timedelta(seconds=1)


def test_figures_are_readable_by_the_service_only(connect):
    for role in ("anon", "authenticated"):
        api = connect(LOGINS[role])
        for statement in (
            "select ops.get_system_health_summary()",
            "select public.get_system_health_summary()",
            "select public.get_booking_performance_summary()",
            "select * from public.get_cron_job_status()",
            "select * from public.active_alerts",
            "select * from public.health_checks",
            "select * from public.performance_metrics",
            "select ops.record_metrics('[]')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
                api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
                api.execute(statement)
    api = connect("marquee_service")
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": "service_role"})])
        for name in ("active_alerts", "health_checks", "performance_metrics"):
            api.execute(f"select * from public.{name}")
        api.execute("select public.get_system_health_summary(), public.get_booking_performance_summary()")
