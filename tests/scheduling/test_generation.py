"""Test event generation on a real database: concurrency, killed generators, slices, and statements per slice."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from marquee.core import clock, database
from marquee.edge import queues
from marquee.scheduling import generation
from tests.kit import gateway, scheduling
from tests.kit.scheduling import Database, World

PROCESSES = 4


@pytest.fixture
def world(db: Database) -> World:
    return scheduling.world(db)


def insert_series(world: World, how_many: int, recurrence: str = "FREQ=WEEKLY", **changes: Any) -> list[UUID]:
    """Insert series without events."""
    columns = {
        "organization_id": world.organization_id,
        "title": "Yoga",
        "language": "en",
        "time_zone": "Europe/Zurich",
        "recurrence": "RRULE:" + recurrence,
        "local_start_time": "09:00",
        "start_date": scheduling.day(1),
        "duration_minutes": 60,
        "capacity": 12,
        "currency": "CHF",
        **changes,
    }
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    rows = world.db.execute(
        f"insert into events.series ({names}) select {places} from generate_series(1, {how_many}) returning id",
        list(columns.values()),
    ).fetchall()
    return sorted(row["id"] for row in rows)


def message(series_ids: list[UUID]) -> dict[str, Any]:
    """Build a batch of one message, as SQS delivers it."""
    return {
        "Records": [
            {
                "messageId": "1",
                "receiptHandle": "1",
                "body": '{"series_ids": [' + ", ".join(f'"{series_id}"' for series_id in series_ids) + "]}",
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "awsRegion": "eu-central-1",
            }
        ]
    }


def generate(series_ids: list[UUID]) -> None:
    assert gateway.invoke("manage-events", message(series_ids)) == {"batchItemFailures": []}


def generate_after_start(url: str, series_ids: list[UUID], start: Any, failures: Any) -> None:
    """Run a concurrent generator in its own process."""
    os.environ["DATABASE_URL"] = url
    start.wait()
    for _ in range(5):
        failures.put(gateway.invoke("manage-events", message(series_ids))["batchItemFailures"])


def counts(world: World) -> dict[str, int]:
    row = world.db.execute(
        """
        select
            (select count(*) from events.events) as events,
            (select count(*) from events.occurrences) as occurrences,
            (select count(*) from events.terms) as terms,
            (select count(*) from events.inventory) as inventory,
            (select count(distinct (e.series_id, e.starts_at)) from events.events as e) as distinct_starts,
            (select count(*) from events.events_default) as astray
        """
    ).fetchone()
    assert row is not None
    return dict(row)


def complete(events: int) -> dict[str, int]:
    return {
        "events": events,
        "occurrences": events,
        "terms": events,
        "inventory": events,
        "distinct_starts": events,
        "astray": 0,
    }


def test_concurrent_generators_create_no_duplicate_event(world: World) -> None:
    """Repeat a fault of an earlier system: concurrent generators duplicated events."""
    series_ids = insert_series(world, 8, "FREQ=DAILY")
    context = multiprocessing.get_context("spawn")
    start, failures = context.Event(), context.Queue()
    rivals = [
        context.Process(target=generate_after_start, args=(os.environ["DATABASE_URL"], series_ids, start, failures))
        for _ in range(PROCESSES)
    ]
    for rival in rivals:
        rival.start()
    start.set()
    for rival in rivals:
        rival.join(60)

    assert [rival.exitcode for rival in rivals] == [0] * PROCESSES
    assert [failures.get(timeout=5) for _ in range(5 * PROCESSES)] == [[]] * (5 * PROCESSES)
    days = (generation.horizon(clock.now()) - scheduling.day(1)).days + 1
    assert counts(world) == complete(8 * days)


def test_concurrent_calls_of_the_routine_create_each_occurrence_once(
    world: World, connect: Callable[..., Database]
) -> None:
    """Call the routine concurrently without the generator's lock: the primary key must prevent duplicates."""
    [series_id] = insert_series(world, 1, "FREQ=DAILY")
    row = world.db.execute("select * from events.series").fetchone()
    assert row is not None
    occurrences = generation.as_json(generation.coming(row, clock.now()))
    made: list[int] = []

    def record() -> None:
        connection = connect()
        connection.execute("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)")
        found = connection.execute(
            "select events.record_occurrences(%s::jsonb, %s) as made",
            [
                psycopg.types.json.Jsonb([{"series_id": str(series_id), "occurrences": occurrences}]),
                generation.horizon(clock.now()),
            ],
        ).fetchone()
        assert found is not None
        made.append(found["made"])

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [0] * 7 + [len(occurrences)]
    assert counts(world) == complete(len(occurrences))


def test_killed_generator_leaves_no_partial_events(world: World, connect: Callable[..., Database]) -> None:
    series_ids = insert_series(world, 3)
    held = threading.Event()

    def die() -> None:
        with pytest.raises(Exception, match=r"lost|terminat"), database.transaction(database.service()) as session:
            generation.generate(session, series_ids, clock.now())
            held.set()
            time.sleep(0.2)
            session.value("select pg_sleep(30)")

    dying = threading.Thread(target=die)
    dying.start()
    assert held.wait(10)
    killer = connect()
    killer.execute(
        "select pg_terminate_backend(a.pid) from pg_stat_activity as a"
        " where a.usename = 'marquee_service' and a.datname = current_database()"
    )
    dying.join(20)
    after_the_kill = counts(world)
    generate(series_ids)

    assert after_the_kill == complete(0)
    assert counts(world)["events"] == 3 * 18
    assert counts(world)["inventory"] == 3 * 18


def test_generation_takes_the_same_number_of_statements_for_any_series_count(world: World) -> None:
    statements = []
    for how_many in (1, 40):
        series_ids = insert_series(world, how_many)
        with database.transaction(database.service()) as session:
            done = generation.generate(session, series_ids, clock.now())
            statements.append(session.statements)
        assert (done.events, list(done.left), list(done.refused)) == (18 * how_many, [], [])
    assert statements == [2, 2]


def test_transaction_generates_a_bounded_part_of_a_slice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    series_ids = insert_series(world, 5)
    monkeypatch.setattr(generation, "OCCURRENCES_PER_TRANSACTION", 20)

    with database.transaction(database.service()) as session:
        first = generation.generate(session, series_ids, clock.now())
    generate(series_ids)

    assert (first.events, list(first.left)) == (36, series_ids[2:])
    assert counts(world) == {**complete(5 * 18), "distinct_starts": 5 * 18}


def test_series_with_an_invalid_rule_does_not_block_other_series(world: World) -> None:
    bad = insert_series(world, 1, "FREQ=NEVER")
    good = insert_series(world, 2)

    with database.transaction(database.service()) as session:
        done = generation.generate(session, [*bad, *good], clock.now())

    assert (done.events, list(done.refused)) == (36, bad)


def test_daily_run_sends_due_series_in_slices(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setenv("GENERATE_QUEUE_URL", "http://127.0.0.1/queue")
    monkeypatch.setattr(queues, "send", lambda url, message, **_: sent.append(message))
    monkeypatch.setattr(generation, "SERIES_PER_SLICE", 10)
    horizon = generation.horizon(clock.now())
    due = insert_series(world, 15) + insert_series(world, 10, generated_until=horizon - timedelta(days=1))
    insert_series(world, 3, generated_until=horizon)
    insert_series(world, 3, status="paused")
    insert_series(world, 3, status="archived")
    insert_series(world, 3, end_date=scheduling.day(30), generated_until=scheduling.day(30))

    first = gateway.invoke("manage-events", {"job": "generate_events"})
    slices = [one.series_ids for one in sent]
    for series_ids in slices:
        generate(series_ids)
    sent.clear()
    second = gateway.invoke("manage-events", {"job": "generate_events"})

    assert (first["done"], first["more"], [len(series_ids) for series_ids in slices]) == (25, False, [10, 10, 5])
    assert sorted(series_id for series_ids in slices for series_id in series_ids) == sorted(due)
    assert (second["done"], sent) == (0, [])


def test_generation_on_the_next_day_adds_one_day_of_events(world: World) -> None:
    series_ids = insert_series(world, 2, "FREQ=DAILY")
    generate(series_ids)
    before = counts(world)["events"]

    with database.transaction(database.service()) as session:
        done = generation.generate(session, series_ids, clock.now() + timedelta(days=1))

    assert done.events == 2
    assert counts(world)["events"] == before + 2


def test_deleted_event_is_generated_again_on_request(world: World) -> None:
    series = scheduling.make_series(world, recurrence="FREQ=DAILY")
    lost = scheduling.events_of(world, series["id"])[10]
    world.db.execute("delete from events.occurrences where event_id = %s", [lost["id"]])
    world.db.execute("delete from events.events where id = %s", [lost["id"]])

    answer = gateway.post("manage-events", f"/series/{series['id']}/generate", caller=world.owner)

    assert answer.body["events_made"] == 1
    assert lost["local_start"] in [event["local_start"] for event in scheduling.events_of(world, series["id"])]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("hour", [0, 6, 11, 13, 23])
def test_far_time_zone_gets_one_event_a_day_at_any_generation_hour(world: World, zone: str, hour: int) -> None:
    """Repeat a fault of an earlier system: far time zones duplicated days."""
    series_ids = insert_series(world, 1, "FREQ=DAILY", time_zone=zone, local_start_time="00:30")
    first_run = datetime.combine(scheduling.day(1), datetime.min.time(), UTC) + timedelta(hours=hour)

    for run in range(3):
        with database.transaction(database.service()) as session:
            generation.generate(session, series_ids, first_run + timedelta(days=run))

    rows = world.db.execute(
        "select (e.starts_at at time zone %s)::date as day from events.events as e order by e.starts_at", [zone]
    ).fetchall()
    days: list[date] = [row["day"] for row in rows]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert days[-1] == generation.horizon(first_run + timedelta(days=2))


def test_generated_local_times_do_not_shift_with_time_zone_or_dst(world: World) -> None:
    """Repeat a fault of an earlier system: times shifted with the time zone and DST."""
    for zone in ("Europe/Zurich", "America/New_York", "Pacific/Auckland"):
        insert_series(world, 1, "FREQ=WEEKLY", time_zone=zone)
    ids = [row["id"] for row in world.db.execute("select id from events.series").fetchall()]
    for months in (0, 4, 8):
        with database.transaction(database.service()) as session:
            generation.generate(session, ids, clock.now() + timedelta(days=30 * months))

    rows = world.db.execute(
        """
        select
            e.time_zone, count(*) as events, min(e.starts_at at time zone e.time_zone)::time::text as earliest,
            max(e.starts_at at time zone e.time_zone)::time::text as latest,
            count(distinct extract(hour from e.starts_at at time zone 'UTC')) as hours_in_utc,
            array_agg(distinct (e.starts_at at time zone e.time_zone)::time::text) as walls
        from events.events as e
        group by e.time_zone
        """
    ).fetchall()
    assert {tuple(row["walls"]) for row in rows} == {("09:00:00",)}
    assert {row["hours_in_utc"] for row in rows} == {2}
    assert {row["events"] for row in rows} <= {51, 52}, "the first and last day depend on the zone and the hour"


def test_event_booked_during_an_archival_is_kept(world: World, connect: Callable[..., Database]) -> None:
    """Book while the series is being archived: the event stays, with the booking."""
    series = scheduling.make_series(world)
    chosen = scheduling.events_of(world, series["id"])[0]
    booking = connect(autocommit=False)
    booking.execute(
        "select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{world.customer}", "role": "authenticated"}}']
    )
    booking.execute("select events.book(event_id => %s)", [chosen["id"]])

    archived = gateway.post("manage-events", f"/series/{series['id']}/archive", caller=world.owner)
    booking.commit()

    assert archived.status == 200
    left = scheduling.events_of(world, series["id"])
    assert [(event["id"], event["status"], event["taken"]) for event in left] == [(chosen["id"], "scheduled", 1)]
