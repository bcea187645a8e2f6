"""functions/maintain: each job does a bounded amount of work, returns a report, and is recorded."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from marquee.core.settings import LOGINS
from marquee.edge.schedules import UnknownJob
from marquee.operations import maintenance
from tests.kit import gateway, scheduling
from tests.kit.wallets import CreditBookings


def run(job):
    return gateway.invoke("maintain", {"job": job}, gateway.Context(milliseconds_left=300_000))


def last_run(db):
    return db.execute(
        "select job, succeeded, result, error, finished_at from ops.job_runs order by id desc limit 1"
    ).fetchone()


def past_event(world, hours=3, **changes):
    """Insert an event that ended `hours - 1` ago, which the routines refuse to create."""
    starts_at = datetime.now(UTC) - timedelta(hours=hours)
    event_id = uuid4()
    world.db.execute(
        """
        insert into events.events (
            id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy, status
        )
        values (%s, %s, %s, %s, 'Past', 'en', 'Europe/Zurich', 'CHF', '{}', %s)
        """,
        [
            event_id,
            starts_at,
            starts_at + timedelta(hours=1),
            world.organization_id,
            changes.get("status", "scheduled"),
        ],
    )
    world.db.execute("insert into events.inventory (event_id, capacity) values (%s, 10)", [event_id])
    return event_id


def test_past_events_are_completed_in_bounded_turns(db, monkeypatch):
    world = scheduling.world(db)
    monkeypatch.setattr(maintenance, "EVENTS_MOST", 2)
    over = [past_event(world, hours) for hours in range(2, 7)]
    draft, to_come = past_event(world, status="draft"), scheduling.make_event(world)

    answer = run("complete_events")

    assert (answer["done"], answer["more"], answer["turns"]) == (5, False, 3)
    states = {row["id"]: row["status"] for row in db.execute("select id, status::text from events.events")}
    assert {states[event_id] for event_id in over} == {"completed"}
    assert (states[draft], states[scheduling.UUID(to_come["id"])]) == ("draft", "scheduled")
    terms = db.execute("select status::text from events.terms where event_id = any(%s)", [over]).fetchall()
    assert {row["status"] for row in terms} == {"completed"}
    history = db.execute("select count(*) as n from ops.state_history where to_state = 'completed'").fetchone()
    assert history["n"] == 5


def test_run_is_recorded_with_its_result(db):
    run("complete_events")

    written = last_run(db)
    assert (written["job"], written["succeeded"], written["error"]) == ("complete_events", True, None)
    assert written["result"] == {"job": "complete_events", "done": 0, "turns": 1, "more": False, "details": {}}
    assert written["finished_at"] is not None


def test_failed_run_raises_and_records_the_error(db):
    db.execute("update ops.partition_policies set table_name = 'events.nowhere' where table_name = 'events.events'")

    with pytest.raises(maintenance.PartitionsFailed, match=r"events\.nowhere"):
        run("partitions")

    written = last_run(db)
    assert (written["job"], written["succeeded"]) == ("partitions", False)
    assert "events.nowhere" in written["error"]


def test_partitions_are_created_although_others_fail(db):
    db.execute("insert into ops.partition_policies (table_name, months_ahead) values ('events.aaa_nowhere', 2)")
    db.execute("update ops.partition_policies set months_ahead = 19 where table_name = 'events.events'")

    with pytest.raises(maintenance.PartitionsFailed):
        run("partitions")

    ahead = db.execute("select count(*) as n from ops.partition_bounds('events.events')").fetchone()
    assert ahead["n"] == 1 + 1 + 19 + 1  # behind, now, ahead, default


def test_partition_job_reports_the_created_partitions(db):
    some_month = (datetime.now(UTC) + timedelta(days=70)).strftime("events.events_%Y_%m")
    db.execute(f"alter table events.events detach partition {some_month}")
    db.execute(f"drop table {some_month}")

    answer = run("partitions")

    assert answer["done"] == 1
    assert answer["details"]["created"] == 1
    assert answer["details"]["failed"] == []


def test_partition_job_archives_processed_rating_months_after_a_year(db):
    for month in ("2020-03-01", "2020-04-01"):
        db.execute("select ops.create_partition('rating.votes', %s)", [month])
    db.execute(
        "insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, score, received_at)"
        " values (gen_random_uuid(), 'a', 1, 'fire', 'ana', 1, '2020-04-15Z')"
    )

    answer = run("partitions")

    assert (answer["done"], answer["details"]["archived"]) == (1, ["rating.votes_2020_03"])


def test_health_job_records_the_checks_and_their_status(db):
    # The deadlines of all jobs start now, because the template database may be old.
    db.execute("update ops.jobs set expected_since = now()")

    answer = run("health")

    # The response time of the database depends on the machine, so its status may be any.
    checks = answer["details"]["checks"]
    database = checks.pop("database_response_ms")
    assert set(checks.values()) == {"healthy"}
    assert answer["details"]["status"] == database
    figures = db.execute("select count(*) as n from ops.performance_metrics where name = 'database_response_ms'")
    assert figures.fetchone()["n"] == 1


def test_clean_up_job_repeats_until_nothing_remains(db, monkeypatch):
    monkeypatch.setattr(maintenance, "ROWS_MOST", 10)
    db.execute(
        "insert into ops.job_runs (job, started_at) select 'x', now() - interval '40 days' from generate_series(1, 35)"
    )

    answer = run("clean_up")

    assert answer["more"] is False
    assert answer["done"] >= 35
    assert db.execute("select count(*) as n from ops.job_runs where job = 'x'").fetchone()["n"] == 0


def test_clean_up_job_finds_a_drifted_counter(db):
    world = scheduling.world(db)
    event_id = scheduling.make_event(world)["id"]
    scheduling.book(world, event_id, world.customer)
    db.execute("update events.inventory set taken = taken + 2 where event_id = %s", [event_id])

    run("clean_up")

    metric = db.execute(
        "select value, tags from ops.performance_metrics where name = 'booking_counters_drifted'"
    ).fetchone()
    assert (metric["value"], metric["tags"]) == (1, {"events": [event_id]})


def test_unknown_job_raises_and_is_recorded_as_failed(db):
    with pytest.raises(UnknownJob):
        run("tidy_everything")
    assert last_run(db)["succeeded"] is False


def test_only_the_service_may_run_the_jobs(connect):
    for role in ("anon", "authenticated"):
        api = connect(LOGINS[role])
        for routine in (
            "complete_events()",
            "maintain_partitions()",
            "clean_up()",
            "check_health()",
            "evaluate_alerts()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
                api.execute("select ops.act_as(jsonb_build_object('role', %s::text, 'sub', gen_random_uuid()))", [role])
                api.execute(f"select ops.{routine}")


def test_unused_credits_expire(db):
    desk = CreditBookings(db)
    customer = desk.customer()
    lots = [desk.give(customer, 300, "1 day"), desk.give_pass(customer, 5, "1 day"), desk.give(customer, 200)]
    for lot in lots[:2]:
        desk.set_expiry(lot, "-1 second")

    assert run("expire_credits")["done"] == 2
    assert run("expire_credits")["done"] == 0

    assert desk.lots(customer) == [(300, 0), (5, 0), (200, 200)]
    assert desk.findings() == []
