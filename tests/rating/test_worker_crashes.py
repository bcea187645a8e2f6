"""Workers that count ratings are killed at every statement, or overtaken at it: every event is counted exactly once."""

import pytest

from tests.kit import rating_crashes, rating_load, rating_results, rating_workers
from tests.kit.statement_proxy import Fault

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
def test_whatever_dies_at_any_statement_of_a_batch_all_is_counted_once(bench, when, deed):
    """The worker, whose work others take over; or the connection, and the worker comes back by another."""
    clean, statements = bench.clean()
    assert bench.faults(clean, clean) == []
    assert [word for each in statements for word in ("begin", "commit") if each.startswith(word)] == ["begin", "commit"]

    faults = {}
    for number, statement in enumerate(statements, 1):
        if found := bench.faults(bench.interrupted(Fault(number, when, deed)), clean):
            faults[f"{when} {number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_two_workers_with_the_same_items_count_them_once_wherever_the_first_was_overtaken(bench, connect):
    """The lease runs out while the first is still at it, so that the second has the same items."""
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


def test_what_comes_for_items_in_work_is_counted_wherever_their_worker_was(bench, connect):
    both = [*rating_crashes.EVENTS, *MORE]
    clean, statements = bench.clean(both)

    def come(organization_id):
        with connect() as other:
            rating_load.ingest(other, organization_id, MORE)

    faults = {}
    for number, statement in enumerate(statements, 1):
        organization_id = bench.held(Fault(number, "before", "hold"), come)
        if found := bench.faults(organization_id, clean, both):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


@pytest.mark.parametrize("first_known", [0, 1], ids=["all items known", "one new"])
def test_a_worker_overtaken_by_another_and_by_events_moves_nothing_back(bench, connect, first_known):
    """All at once: the second counts what came meanwhile, and the first then ends with what it knew before."""
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


def test_a_batch_played_again_counts_nothing_again_neither_for_items_nor_for_voters(bench):
    clean, _ = bench.clean()
    before = rating_results.state_of(bench.db, clean)
    again = "select rating.mark_dirty(%s, array(select s.item_id::text from rating.item_stats as s))"

    for _time in range(3):
        bench.db.execute(again, [clean])
        assert rating_results.left_over(bench.db)["marked"] > 0
        bench.finish()

    assert rating_results.state_of(bench.db, clean) == before


def test_events_sent_again_count_nothing_again(bench):
    clean, _ = bench.clean()
    before = rating_results.state_of(bench.db, clean)

    for request in rating_load.requests(rating_crashes.EVENTS, 70):
        answers = rating_load.ingest(bench.db, clean, request)
        assert {answer["status"] for answer in answers} == {"duplicate"}
    bench.finish()

    assert rating_results.state_of(bench.db, clean) == before
