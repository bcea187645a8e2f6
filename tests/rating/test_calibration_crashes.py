"""Nights that are killed, and nights in the middle of which batches are counted: nothing is lost, nothing is twice."""

import threading

import pytest

from tests.kit import calibration_crashes, rating_crashes, rating_load, rating_results, rating_workers
from tests.kit.statement_proxy import Fault

MORE = rating_load.made_up(150, items=6, voters=5, seed=6, prefix="more-")
BOTH = [*rating_crashes.EVENTS, *MORE]


@pytest.fixture
def nights(db, server, database_name):
    yield calibration_crashes.Nights(rating_crashes.Bench(db, server, database_name))
    assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
    assert rating_results.deadlocks(db) == 0


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_night_that_is_killed_at_any_statement_comes_to_the_same_when_it_is_told_again(nights, when):
    clean, statements = nights.clean()
    assert len(statements) == 4

    faults = {}
    for number, statement in enumerate(statements, 1):
        organization_id = nights.killed(Fault(number, when))
        nights.pass_by(organization_id)
        if found := nights.faults(organization_id, clean):
            faults[f"{when} {number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_what_is_counted_in_the_middle_of_a_night_keeps_its_ratings_until_the_next(nights, connect):
    """Wherever the night is: events come, a batch counts them, and the night goes on with what it had read."""
    clean, statements = nights.clean(BOTH)
    touched = {event.get("item_id", event.get("item_a")) for event in MORE} | {event.get("item_b") for event in MORE}
    ratings = "select item_id, mean, deviation from rating.item_stats where organization_id = %s"
    running: dict[str, tuple[float, float]] = {}

    def come(organization_id):
        with connect() as other:
            rating_load.ingest(other, organization_id, MORE)
            rating_workers.finish(rating_workers.start(nights.bench.worker, nights.bench.url))
            rows = other.execute(ratings, [organization_id]).fetchall()
        running.update({row["item_id"]: (row["mean"], row["deviation"]) for row in rows if row["item_id"] in touched})

    faults = {}
    for number, statement in enumerate(statements[1:], 2):
        organization_id = nights.held(Fault(number, "before", "hold"), come)
        [report] = nights.reports(organization_id)
        rows = nights.bench.db.execute(ratings, [organization_id]).fetchall()
        kept = {row["item_id"]: (row["mean"], row["deviation"]) for row in rows if row["item_id"] in touched}
        if kept != running:
            faults[f"{number}: {statement[:80]}"] = ["an item that was counted meanwhile was put right"]
        assert report["touched"] + report["incomplete"] == len(kept)
        nights.pass_by(organization_id)
        if found := nights.faults(organization_id, clean, BOTH):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_nights_among_those_who_rate_and_count_disturb_nobody(nights, connect, monkeypatch):
    """Two who calibrate without a pause, three who count, eight who rate; then one night, as if it had been quiet."""
    events = rating_load.made_up(rating_load.EVENTS, items=60, voters=40)
    clean, _statements = nights.clean(events)
    crowd = rating_results.stage(nights.bench.db)
    nights.bench.db.execute("update rating.settings set period_seconds = 1 where organization_id = %s", [crowd])
    over, errors = threading.Event(), []

    def calibrate():
        try:
            while not over.wait(0.01):
                calibration_crashes.calibrate(nights.bench.url, crowd)
        except BaseException as error:  # told in the test's own thread
            errors.append(error)

    monkeypatch.setenv("DATABASE_URL", nights.bench.url)
    calibrators = [threading.Thread(target=calibrate) for _ in range(2)]
    with rating_workers.working(nights.bench.worker, nights.bench.url, 3):
        for calibrator in calibrators:
            calibrator.start()
        try:
            rating_load.produce(connect, crowd, events, connections=8)
        finally:
            over.set()
            for calibrator in calibrators:
                calibrator.join(60)
    assert errors == []
    assert rating_results.miscounted(nights.bench.db, crowd, events) == []
    assert sum(report["applied"] for report in nights.reports(crowd)) > 0

    nights.pass_by(crowd)
    alone, both = ("mean", "deviation"), (nights.state_of(crowd), nights.state_of(clean))
    apart = [
        abs(both[0][thing][name] - both[1][thing][name]) for thing in both[0] if thing[0] == "item" for name in alone
    ]
    assert max(apart) < 0.5
