"""Two deliberately wrong workers, which lose events in a crash or when ids commit out of order, are detected."""

import pytest

from tests.kit import rating_crashes, rating_load, rating_results, rating_workers, wrong_rating_workers
from tests.kit.statement_proxy import Fault

pytestmark = pytest.mark.own_database  # these tests count the connections


@pytest.fixture
def bench(db, server, database_name):
    db.execute(wrong_rating_workers.SETUP)
    return rating_crashes.Bench(db, server, database_name, rating_workers.CLAIM_BY_DELETE)


def test_delete_claiming_worker_is_correct_without_a_crash(bench):
    organization_id, statements = bench.clean()

    assert len(statements) > 5
    assert rating_results.miscounted(bench.db, organization_id, rating_crashes.EVENTS) == []


def test_delete_claiming_worker_is_caught_by_a_kill(bench):
    clean, _ = bench.clean()

    caught = {when: bool(bench.faults(bench.interrupted(Fault(1, when)), clean)) for when in ("before", "after")}

    assert caught == {"before": False, "after": True}
    assert rating_results.left_over(bench.db)["uncounted"] > 0  # these events stay: nothing marks their items


def test_serial_checkpoint_is_correct_while_ids_commit_in_order(bench):
    organization_id = rating_results.stage(bench.db, rating_crashes.EVENTS)

    rating_workers.finish(rating_workers.start(rating_workers.SERIAL_CHECKPOINT, bench.url))

    assert rating_results.miscounted(bench.db, organization_id, rating_crashes.EVENTS) == []


def test_serial_checkpoint_is_caught_by_concurrent_voters(bench, connect):
    organization_id = rating_results.stage(bench.db)
    events = rating_load.made_up(1500)

    with rating_workers.working(rating_workers.SERIAL_CHECKPOINT, bench.url, 1):
        rating_load.produce(connect, organization_id, events)

    items, _ = rating_load.counted(events)
    there = bench.db.execute("select sum(votes)::int as votes from rating.item_stats").fetchone()["votes"]
    assert there < sum(item["votes"] for item in items.values())
    assert rating_results.miscounted(bench.db, organization_id, events) != []
