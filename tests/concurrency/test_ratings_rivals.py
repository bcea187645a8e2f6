"""Many who rate and several who count, all at once: nothing lost, nothing twice, nobody in a circle."""

import threading
import time

import pytest

from marquee.rating import storage
from tests import given
from tests.concurrency import crew, raters, standings
from tests.crash import rating_kills

WHOLE = raters.EVENTS >= 100_000
MINUTE = 60 if WHOLE else 0


@pytest.fixture
def bench(db, server, database_name):
    bench = rating_kills.Bench(db, server, database_name)
    yield bench
    assert standings.left_over(db) == {"uncounted": 0, "marked": 0}
    assert standings.deadlocks(db) == 0


def test_events_that_commit_out_of_their_order_are_each_counted_once_as_one_after_the_other(bench, connect):
    events = raters.made_up(raters.EVENTS, items=200, voters=100)
    alone, crowd = standings.stage(bench.db, events), standings.stage(bench.db)
    crew.finish(crew.start(bench.worker, bench.url))
    assert standings.miscounted(bench.db, alone, events) == []

    with crew.working(bench.worker, bench.url, 3):
        raters.produce(connect, crowd, events, connections=32)

    assert bench.faults(crowd, alone, events) == []


def test_eight_who_rate_and_three_who_count_never_wait_in_a_circle(bench, connect):
    """Periods begin and items are marked by hand all the while, too."""
    organization_id = standings.stage(bench.db)
    bench.db.execute("update rating.settings set period_seconds = 1")
    over, errors, sent = threading.Event(), [], []

    def disturb(query, params):
        connection = connect()
        try:
            while not over.wait(0.02):
                given.call(connection, None, query, params)
        except BaseException as error:  # told in the test's own thread
            errors.append(error)

    names = [f"item-{number}" for number in range(40)]
    disturbers = [
        threading.Thread(target=disturb, args=(query, params))
        for query, params in (
            ("select rating.begin_period()", None),
            ("select rating.mark_dirty(%s, %s)", [organization_id, names]),
        )
    ]
    until = time.monotonic() + MINUTE
    with crew.working(bench.worker, bench.url, 3):
        for disturber in disturbers:
            disturber.start()
        try:
            while not sent or len(sent) < raters.EVENTS or time.monotonic() < until:
                events = raters.made_up(max(raters.EVENTS // 5, 400), seed=len(sent), prefix=f"{len(sent)}-")
                raters.produce(connect, organization_id, events, connections=8, pause_seconds_max=0.001)
                sent += events
        finally:
            over.set()
            for disturber in disturbers:
                disturber.join(30)

    assert errors == []
    assert standings.miscounted(bench.db, organization_id, sent) == []


def test_an_item_with_thousands_of_events_has_all_of_them_counted(bench):
    """More than any page of rows that somebody might have thought of."""
    events = raters.made_up(6000, items=3, voters=500)
    organization_id = standings.stage(bench.db, events)

    crew.finish(crew.start(bench.worker, bench.url))

    assert standings.miscounted(bench.db, organization_id, events) == []


def test_a_batch_that_takes_no_more_than_some_events_leaves_none_behind(bench, monkeypatch):
    """In however many batches it takes: the same as in one."""
    events = raters.made_up(1000, items=20)
    alone = standings.stage(bench.db, events)
    batch = crew.found(crew.PRODUCT)
    batch()
    assert standings.left_over(bench.db) == {"uncounted": 0, "marked": 0}
    monkeypatch.setattr(storage, "EVENTS_MOST", 70)
    cut = standings.stage(bench.db, events)

    batches = 0
    while batch():
        batches += 1

    assert batches > sum(event["type"] != "fire" for event in events) // 70
    assert bench.faults(cut, alone, events) == []
