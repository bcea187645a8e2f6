"""The wrong examples: workers that lose events when one dies or when ids commit out of order. The harness finds it."""

import pytest

from tests.concurrency import crew, raters, standings, wrong_workers
from tests.crash import rating_kills
from tests.crash.executioner import Sentence


@pytest.fixture
def bench(db, server, database_name):
    db.execute(wrong_workers.SETUP)
    return rating_kills.Bench(db, server, database_name, crew.CLAIM_BY_DELETE)


def test_a_worker_that_claims_by_deleting_is_right_as_long_as_nobody_dies(bench):
    organization_id, statements = bench.clean()

    assert len(statements) > 5
    assert standings.miscounted(bench.db, organization_id, rating_kills.EVENTS) == []


def test_the_kills_catch_a_worker_that_claims_by_deleting(bench):
    clean, _ = bench.clean()

    caught = {when: bool(bench.faults(bench.struck(Sentence(1, when)), clean)) for when in ("before", "after")}

    assert caught == {"before": False, "after": True}
    assert standings.left_over(bench.db)["uncounted"] > 0  # dormant: nothing marks their items


def test_a_checkpoint_of_serial_ids_is_right_as_long_as_ids_commit_in_their_order(bench):
    organization_id = standings.stage(bench.db, rating_kills.EVENTS)

    crew.finish(crew.start(crew.SERIAL_CHECKPOINT, bench.url))

    assert standings.miscounted(bench.db, organization_id, rating_kills.EVENTS) == []


def test_the_crowd_catches_a_checkpoint_of_serial_ids(bench, connect):
    organization_id = standings.stage(bench.db)
    events = raters.made_up(1500)

    with crew.working(crew.SERIAL_CHECKPOINT, bench.url, 1):
        raters.produce(connect, organization_id, events)

    items, _ = raters.counted(events)
    there = bench.db.execute("select sum(votes)::int as votes from rating.item_stats").fetchone()["votes"]
    assert there < sum(item["votes"] for item in items.values())
    assert standings.miscounted(bench.db, organization_id, events) != []
