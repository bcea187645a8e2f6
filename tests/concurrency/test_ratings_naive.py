"""The wrong examples: workers that lose events when one dies or when ids commit out of order. The harness finds it."""

import pytest

from tests.concurrency import crew, raters, standings, wrong_workers
from tests.crash import rating_kills
from tests.crash.executioner import Sentence


@pytest.fixture
def naive(db):
    db.execute(wrong_workers.SETUP)


@pytest.mark.usefixtures("naive")
def test_a_worker_that_claims_by_deleting_is_right_as_long_as_nobody_dies(db, server, database_name):
    organization_id, statements = rating_kills.clean_run(db, server, database_name, crew.CLAIM_BY_DELETE)

    assert len(statements) > 5
    assert standings.miscounted(db, organization_id, rating_kills.EVENTS) == []


@pytest.mark.usefixtures("naive")
def test_the_kills_catch_a_worker_that_claims_by_deleting(db, server, database_name):
    clean, _ = rating_kills.clean_run(db, server, database_name, crew.CLAIM_BY_DELETE)
    caught = {}
    for when in ("before", "after"):
        organization_id = rating_kills.killed(db, server, database_name, crew.CLAIM_BY_DELETE, Sentence(1, when))
        caught[when] = bool(rating_kills.faults(db, organization_id, clean))

    assert caught == {"before": False, "after": True}
    assert standings.left_over(db)["uncounted"] > 0  # dormant: nothing marks their items


@pytest.mark.usefixtures("naive")
def test_the_crowd_catches_a_worker_with_a_checkpoint_of_serial_ids(db, connect, server, database_name):
    organization_id = rating_kills.staged(db, [])
    events = raters.made_up(1500)

    with crew.working(crew.SERIAL_CHECKPOINT, rating_kills.url_of(server, database_name), 1):
        raters.produce(connect, organization_id, events)

    items, _ = raters.counted(events)
    rows = db.execute("select sum(votes)::int as votes from rating.item_stats").fetchone()
    assert rows["votes"] < sum(item["votes"] for item in items.values())
    assert standings.miscounted(db, organization_id, events) != []


@pytest.mark.usefixtures("naive")
def test_a_checkpoint_of_serial_ids_is_right_as_long_as_ids_commit_in_their_order(db, server, database_name):
    organization_id = rating_kills.staged(db)

    crew.finish(crew.start(crew.SERIAL_CHECKPOINT, rating_kills.url_of(server, database_name)))

    assert standings.miscounted(db, organization_id, rating_kills.EVENTS) == []
