"""A long transaction keeps all dead rows. Processing continues, at a bounded cost."""

import pytest

from tests.kit import rating_load, rating_results, rating_workers

ROUNDS, ITEMS = 40, 30
CLAIM = "explain (analyze, buffers, format json) select * from rating.claim_dirty_items(most => 500)"


@pytest.fixture(params=["reading", "writing"])
def holder(request, connect):
    """Open a session whose transaction stays open during the test."""
    connection = connect(autocommit=False)
    connection.execute("set transaction isolation level repeatable read")
    connection.execute("select count(*) from rating.inbox").fetchone()
    if request.param == "writing":
        connection.execute("select pg_current_xact_id()")
    return connection


def pages_of_a_claim(db) -> int:
    """Return the number of pages that a claim without a result reads."""
    with db.transaction(force_rollback=True):
        (plan,) = db.execute(CLAIM).fetchone()["QUERY PLAN"]
    assert plan["Plan"]["Actual Rows"] == 0
    return plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]


def test_open_transaction_does_not_stop_processing(db, holder):
    """Each round of events takes one batch. A claim reads the marks made since, each at most once."""
    organization_id = rating_results.stage(db)
    batch, sent, pages = rating_workers.found(rating_workers.PRODUCT), [], []

    for number in range(ROUNDS):
        events = rating_load.made_up(100, items=ITEMS, seed=number, prefix=f"{number}-")
        rating_load.ingest(db, organization_id, events)
        sent += events
        assert 0 < batch() <= ITEMS
        assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
        pages.append(pages_of_a_claim(db))

    assert rating_results.miscounted(db, organization_id, sent) == []
    assert holder.info.transaction_status.name == "INTRANS"
    marked = ITEMS * ROUNDS
    assert pages[-1] < 200 + marked
    assert pages[-1] - pages[ROUNDS // 2] < 2 * (pages[ROUNDS // 2] - pages[0]) + 200


def test_events_that_commit_after_later_ones_are_counted(db, connect):
    """Their ids are lower than those already counted, and a batch ran before they were visible."""
    organization_id = rating_results.stage(db)
    slow, late = connect(autocommit=False), rating_load.made_up(50, items=9, seed=1, prefix="late-")
    rating_load.ingest(slow, organization_id, late)
    others = rating_load.made_up(50, items=9, seed=2, prefix="other-", name="other")
    rating_load.ingest(db, organization_id, others)
    batch = rating_workers.found(rating_workers.PRODUCT)
    while batch():
        pass
    assert rating_results.miscounted(db, organization_id, others) == []

    slow.commit()
    while batch():
        pass

    assert rating_results.miscounted(db, organization_id, [*others, *late]) == []
