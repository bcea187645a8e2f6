"""Rating workers are killed or overtaken at every statement, and every event is counted exactly once."""

import pytest

from tests.kit import rating_crashes, rating_load, rating_results, rating_workers
from tests.kit.statement_proxy import Fault

pytestmark = pytest.mark.own_database  # these tests count the connections

MORE = rating_load.made_up(150, items=12, voters=9, seed=6, prefix="more-")


@pytest.fixture
def bench(db, server, database_name):
    bench = rating_crashes.Bench(db, server, database_name)
    yield bench
    assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
    assert rating_results.deadlocks(db) == 0


@pytest.mark.parametrize(
    ("when", "deed"), [("before", "kill"), ("during", "kill"), ("after", "kill"), ("after", "cut")]
)
def test_events_are_counted_once_when_a_batch_dies_at_any_statement(bench, when, deed):
    """Either the worker dies and another takes over, or its connection breaks and the worker reconnects."""
    clean, statements = bench.clean()
    assert bench.faults(clean, clean) == []
    assert [word for each in statements for word in ("begin", "commit") if each.startswith(word)] == ["begin", "commit"]

    faults = {}
    for number, statement in enumerate(statements, 1):
        if found := bench.faults(bench.interrupted(Fault(number, when, deed)), clean):
            faults[f"{when} {number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_items_of_two_workers_are_counted_once_when_the_first_is_overtaken(bench, connect):
    """The lease expires while the first worker is still running, so the second one claims the same items."""
    clean, statements = bench.clean()

    def overtake(_organization_id):
        with connect() as other:
            rating_crashes.expire_leases(other, dead=False)
        rating_workers.finish(rating_workers.start(bench.worker, bench.url))

    faults = {}
    for number, statement in enumerate(statements, 1):
        if found := bench.faults(bench.held(Fault(number, "before", "hold"), overtake), clean):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_events_that_arrive_during_a_batch_are_counted(bench, connect):
    both = [*rating_crashes.EVENTS, *MORE]
    clean, statements = bench.clean(both)

    def ingest_more(organization_id):
        with connect() as other:
            rating_load.ingest(other, organization_id, MORE)

    faults = {}
    for number, statement in enumerate(statements, 1):
        organization_id = bench.held(Fault(number, "before", "hold"), ingest_more)
        if found := bench.faults(organization_id, clean, both):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


@pytest.mark.parametrize("first_known", [0, 1], ids=["all items known", "one new"])
def test_overtaken_worker_reverts_no_newer_result(bench, connect, first_known):
    """The second worker counts the events that arrived meanwhile; then the first one finishes with older data."""
    bench.first_known = first_known
    both = [*rating_crashes.EVENTS, *MORE]
    clean, statements = bench.clean(both)

    def overtake(organization_id):
        with connect() as other:
            rating_load.ingest(other, organization_id, MORE)
            rating_crashes.expire_leases(other, dead=False)
        rating_workers.finish(rating_workers.start(bench.worker, bench.url))

    faults = {}
    for number, statement in enumerate(statements, 1):
        organization_id = bench.held(Fault(number, "before", "hold"), overtake)
        if found := bench.faults(organization_id, clean, both):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_replayed_batch_changes_neither_items_nor_voters(bench):
    clean, _ = bench.clean()
    before = rating_results.state_of(bench.db, clean)
    again = "select rating.mark_dirty(%s, array(select s.item_id::text from rating.item_stats as s))"

    for _time in range(3):
        bench.db.execute(again, [clean])
        assert rating_results.left_over(bench.db)["marked"] > 0
        bench.finish()

    assert rating_results.state_of(bench.db, clean) == before


def test_repeated_events_change_nothing(bench):
    clean, _ = bench.clean()
    before = rating_results.state_of(bench.db, clean)

    for request in rating_load.requests(rating_crashes.EVENTS, 70):
        answers = rating_load.ingest(bench.db, clean, request)
        assert {answer["status"] for answer in answers} == {"duplicate"}
    bench.finish()

    assert rating_results.state_of(bench.db, clean) == before
