"""Concurrent voters and workers lose no event, count none twice and never deadlock."""

import contextlib
import json
import random
import threading
import time
from uuid import uuid4

import pytest

from marquee.core import database
from marquee.rating import calibration, storage
from tests.kit import rating_crashes, rating_load, rating_results, rating_workers, routines
from tests.kit.concurrency import run_together

pytestmark = pytest.mark.own_database  # these tests count the connections

WHOLE = rating_load.EVENTS >= 100_000
MINUTE = 60 if WHOLE else 0


@pytest.fixture
def bench(db, server, database_name):
    bench = rating_crashes.Bench(db, server, database_name)
    yield bench
    assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
    assert rating_results.deadlocks(db) == 0


@contextlib.contextmanager
def repeating(act, every_seconds=0.02):
    """Repeat an action in a thread; yield the list of its results, and raise its errors at the end."""
    over, results, errors = threading.Event(), [], []

    def run():
        try:
            while not over.wait(every_seconds):
                results.append(act())
        except BaseException as error:  # raised in the test's own thread
            errors.append(error)
        finally:
            database.disconnect()  # close the connection of this thread

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield results
    finally:
        over.set()
        thread.join(60)
    assert errors == []


def statement(connect, query, *params):
    """Return a call that runs a statement of the service on a connection of its own."""
    connection = connect()
    return lambda: routines.call(connection, None, query, list(params))


def test_events_that_commit_out_of_order_are_counted_once_by_three_workers(bench, connect):
    events = rating_load.made_up(rating_load.EVENTS, items=200, voters=100)
    alone, crowd = rating_results.stage(bench.db, events), rating_results.stage(bench.db)
    rating_workers.finish(rating_workers.start(bench.worker, bench.url))
    assert rating_results.miscounted(bench.db, alone, events) == []

    with rating_workers.working(bench.worker, bench.url, 3):
        for part in rating_load.requests(events, 20_000):
            rating_load.produce(connect, crowd, part, connections=32)

    assert bench.faults(crowd, alone, events) == []


def test_elo_counts_every_event_once_with_three_workers(bench, connect):
    """Elo ratings depend on the order by design; the counters and the voters' calibration do not."""
    events = rating_load.made_up(rating_load.EVENTS // 2)
    organization_id = rating_results.stage(bench.db)
    bench.db.execute("update rating.settings set model = 'elo'")

    with rating_workers.working(bench.worker, bench.url, 3):
        rating_load.produce(connect, organization_id, events)

    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_voters_workers_and_maintenance_never_deadlock(bench, connect):
    """Meanwhile periods start, calibrations are applied, and items are marked by hand."""
    organization_id = rating_results.stage(bench.db)
    bench.db.execute("update rating.settings set period_seconds = 1")
    names, until, sent = [f"item-{number}" for number in range(40)], time.monotonic() + MINUTE, []

    with (
        rating_workers.working(bench.worker, bench.url, 3),
        repeating(statement(connect, "select rating.begin_period()")),
        repeating(statement(connect, "select rating.mark_dirty(%s, %s)", organization_id, names)),
        repeating(statement(connect, "select rating.get_pipeline_status(%s)", organization_id)),
        repeating(lambda: calibration.calibrate(organization_id), every_seconds=0.5),
    ):
        while len(sent) < rating_load.EVENTS or time.monotonic() < until:
            events = rating_load.made_up(max(rating_load.EVENTS // 5, 400), seed=len(sent), prefix=f"{len(sent)}-")
            rating_load.produce(connect, organization_id, events, connections=8, pause_seconds_max=0.001)
            sent += events

    assert rating_results.miscounted(bench.db, organization_id, sent) == []


def test_marks_and_claims_of_the_same_items_never_deadlock(bench, connect):
    """Marks and claims run at full speed: PostgreSQL sometimes waits for a row that a claim means to skip."""
    organization_id, over = rating_results.stage(bench.db), threading.Event()
    names = [f"item-{number}" for number in range(30)]

    def mark(connection, dice):
        for _time in range(min(rating_load.EVENTS, 30_000) * 3 // 8):
            routines.call(
                connection, None, "select rating.mark_dirty(%s, %s)", [organization_id, dice.sample(names, 8)]
            )

    def claim_and_finish(connection):
        while True:
            rows = connection.execute("select * from rating.claim_dirty_items()").fetchall()
            if not rows and over.is_set():
                return
            columns = [[row[name] for row in rows] for name in ("organization_id", "item_id", "generation")]
            connection.execute("select rating.finish_items(%s::uuid[], %s::text[], %s::bigint[])", columns)

    def act(connection, place):
        if place >= 8:
            return claim_and_finish(connection)
        try:
            mark(connection, random.Random(place))
        finally:
            marked.append(place)
            if len(marked) == 8:
                over.set()

    marked: list[int] = []
    run_together(connect, range(11), act)


def test_events_that_arrive_during_a_reset_are_counted_once(bench, connect):
    """A reset clears the results and queues every event again, including those being written or counted."""
    organization_id = rating_results.stage(bench.db)
    events = rating_load.made_up(rating_load.EVENTS)

    with (
        rating_workers.working(bench.worker, bench.url, 2),
        repeating(
            statement(connect, "select rating.reset_ratings(%s)", organization_id), every_seconds=0.3
        ) as restarts,
    ):
        rating_load.produce(connect, organization_id, events, connections=8)

    assert len(restarts) > 1
    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_messages_delivered_twice_in_parallel_are_written_once(bench, connect):
    """Each message reaches two consumers, in batches of different sizes."""
    organization_id = rating_results.stage(bench.db)
    events = rating_load.made_up(rating_load.EVENTS)
    messages = [
        {
            "request_id": str(uuid4()), "part": 1, "parts": 1, "organization_id": str(organization_id),
            "caller_id": None, "role": "service_role", "events": request,
        }
        for request in rating_load.requests(events, 20)
    ]  # fmt: skip
    dice = random.Random(1)
    deliveries = []
    for size in (7, 10):
        dice.shuffle(messages)
        deliveries += [messages[start : start + size] for start in range(0, len(messages), size)]
    dice.shuffle(deliveries)

    def consume(connection, share):
        answers = []
        for delivery in share:
            answers += routines.call(
                connection, None, "select rating.ingest_requests(%s::json)", [json.dumps(delivery)]
            )
        return answers

    with rating_workers.working(bench.worker, bench.url, 2):
        heard = run_together(connect, [deliveries[number::8] for number in range(8)], consume)

    parts = bench.db.execute("select count(*)::int as n from rating.requests").fetchone()["n"]
    answers = [answer for each in heard for answer in each]
    assert (len(answers), parts) == (2 * len(messages), len(messages))
    assert sum(answer["refused"] for answer in answers) == 0
    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_item_with_thousands_of_events_has_all_of_them_counted(bench):
    """The number exceeds any page size that a reader of rows might use."""
    events = rating_load.made_up(6000, items=3, voters=500)
    organization_id = rating_results.stage(bench.db, events)

    rating_workers.finish(rating_workers.start(bench.worker, bench.url))

    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_batches_with_an_event_limit_leave_no_event_behind(bench, monkeypatch):
    """The result of several batches equals that of a single one."""
    events = rating_load.made_up(1000, items=20)
    alone = rating_results.stage(bench.db, events)
    batch = rating_workers.found(rating_workers.PRODUCT)
    batch()
    assert rating_results.left_over(bench.db) == {"uncounted": 0, "marked": 0}
    monkeypatch.setattr(storage, "EVENTS_MOST", 70)
    cut = rating_results.stage(bench.db, events)

    batches = 0
    while batch():
        batches += 1

    assert batches > sum(event["type"] != "fire" for event in events) // 70
    assert bench.faults(cut, alone, events) == []
