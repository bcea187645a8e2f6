"""Many who rate and several who count, all at once: nothing lost, nothing twice, nobody in a circle."""

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

WHOLE = rating_load.EVENTS >= 100_000
MINUTE = 60 if WHOLE else 0


@pytest.fixture
def bench(db, server, database_name):
    bench = rating_crashes.Bench(db, server, database_name)
    yield bench
    assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
    assert rating_results.deadlocks(db) == 0


@contextlib.contextmanager
def meanwhile(act, every_seconds=0.02):
    """Something that is done again and again; gives the list of what came of it, and raises what went wrong."""
    over, results, errors = threading.Event(), [], []

    def run():
        try:
            while not over.wait(every_seconds):
                results.append(act())
        except BaseException as error:  # told in the test's own thread
            errors.append(error)
        finally:
            database.disconnect()  # this thread's

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield results
    finally:
        over.set()
        thread.join(60)
    assert errors == []


def asked(connect, query, *params):
    """A statement of the service's, on a connection of its own."""
    connection = connect()
    return lambda: routines.call(connection, None, query, list(params))


def test_events_that_commit_out_of_their_order_are_each_counted_once_as_one_after_the_other(bench, connect):
    events = rating_load.made_up(rating_load.EVENTS, items=200, voters=100)
    alone, crowd = rating_results.stage(bench.db, events), rating_results.stage(bench.db)
    rating_workers.finish(rating_workers.start(bench.worker, bench.url))
    assert rating_results.miscounted(bench.db, alone, events) == []

    with rating_workers.working(bench.worker, bench.url, 3):
        for part in rating_load.requests(events, 20_000):
            rating_load.produce(connect, crowd, part, connections=32)

    assert bench.faults(crowd, alone, events) == []


def test_the_first_rule_counts_every_event_once_too(bench, connect):
    """Its ratings depend on the order by design; its counters, and the voters' calibration, do not."""
    events = rating_load.made_up(rating_load.EVENTS // 2)
    organization_id = rating_results.stage(bench.db)
    bench.db.execute("update rating.settings set model = 'elo'")

    with rating_workers.working(bench.worker, bench.url, 3):
        rating_load.produce(connect, organization_id, events)

    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_eight_who_rate_and_three_who_count_never_wait_in_a_circle(bench, connect):
    """Periods begin, fits of all votes are taken over and items are marked by hand all the while, too."""
    organization_id = rating_results.stage(bench.db)
    bench.db.execute("update rating.settings set period_seconds = 1")
    names, until, sent = [f"item-{number}" for number in range(40)], time.monotonic() + MINUTE, []

    with (
        rating_workers.working(bench.worker, bench.url, 3),
        meanwhile(asked(connect, "select rating.begin_period()")),
        meanwhile(asked(connect, "select rating.mark_dirty(%s, %s)", organization_id, names)),
        meanwhile(asked(connect, "select rating.get_pipeline_status(%s)", organization_id)),
        meanwhile(lambda: calibration.calibrate(organization_id), every_seconds=0.5),
    ):
        while len(sent) < rating_load.EVENTS or time.monotonic() < until:
            events = rating_load.made_up(max(rating_load.EVENTS // 5, 400), seed=len(sent), prefix=f"{len(sent)}-")
            rating_load.produce(connect, organization_id, events, connections=8, pause_seconds_max=0.001)
            sent += events

    assert rating_results.miscounted(bench.db, organization_id, sent) == []


def test_who_marks_and_who_claims_and_finishes_never_wait_in_a_circle(bench, connect):
    """Nothing but that, as fast as it goes: PostgreSQL waits for a row now and then that a claim means to skip."""
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


def test_events_are_counted_once_that_come_while_all_is_counted_again(bench, connect):
    """What is known is forgotten, and every event laid out anew: those that are being written or counted, too."""
    organization_id = rating_results.stage(bench.db)
    events = rating_load.made_up(rating_load.EVENTS)

    with (
        rating_workers.working(bench.worker, bench.url, 2),
        meanwhile(asked(connect, "select rating.reset_ratings(%s)", organization_id), every_seconds=0.3) as restarts,
    ):
        rating_load.produce(connect, organization_id, events, connections=8)

    assert len(restarts) > 1
    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_messages_that_come_more_than_once_and_side_by_side_are_written_once(bench, connect):
    """Each message comes to two consumers, in batches that are cut otherwise."""
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


def test_an_item_with_thousands_of_events_has_all_of_them_counted(bench):
    """More than any page of rows that somebody might have thought of."""
    events = rating_load.made_up(6000, items=3, voters=500)
    organization_id = rating_results.stage(bench.db, events)

    rating_workers.finish(rating_workers.start(bench.worker, bench.url))

    assert rating_results.miscounted(bench.db, organization_id, events) == []


def test_a_batch_that_takes_no_more_than_some_events_leaves_none_behind(bench, monkeypatch):
    """In however many batches it takes: the same as in one."""
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
