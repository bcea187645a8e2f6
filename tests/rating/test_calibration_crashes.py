"""Calibrations that are killed, and batches in the middle of a calibration, lose no event and count none twice."""

import threading

import pytest

from tests.kit import calibration_crashes, rating_crashes, rating_load, rating_results, rating_workers
from tests.kit.statement_proxy import Fault

pytestmark = pytest.mark.own_database  # these tests count the connections

MORE = rating_load.made_up(150, items=6, voters=5, seed=6, prefix="more-")
BOTH = [*rating_crashes.EVENTS, *MORE]


@pytest.fixture
def nights(db, server, database_name):
    yield calibration_crashes.Nights(rating_crashes.Bench(db, server, database_name))
    assert rating_results.left_over(db) == {"uncounted": 0, "marked": 0}
    assert rating_results.deadlocks(db) == 0


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_calibration_killed_at_any_statement_gives_the_same_after_a_retry(nights, when):
    clean, statements = nights.clean()
    assert len(statements) == 4

    faults = {}
    for number, statement in enumerate(statements, 1):
        organization_id = nights.killed(Fault(number, when))
        nights.pass_by(organization_id)
        if found := nights.faults(organization_id, clean):
            faults[f"{when} {number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_items_counted_during_a_calibration_keep_their_ratings(nights, connect):
    """At every statement of the calibration, events arrive, a batch counts them, and the calibration continues."""
    clean, statements = nights.clean(BOTH)
    touched = {event.get("item_id", event.get("item_a")) for event in MORE} | {event.get("item_b") for event in MORE}
    ratings = "select item_id, mean, deviation from rating.item_stats where organization_id = %s"
    running: dict[str, tuple[float, float]] = {}

    def ingest_more(organization_id):
        with connect() as other:
            rating_load.ingest(other, organization_id, MORE)
            rating_workers.finish(rating_workers.start(nights.bench.worker, nights.bench.url))
            rows = other.execute(ratings, [organization_id]).fetchall()
        running.update({row["item_id"]: (row["mean"], row["deviation"]) for row in rows if row["item_id"] in touched})

    faults = {}
    for number, statement in enumerate(statements[1:], 2):
        organization_id = nights.held(Fault(number, "before", "hold"), ingest_more)
        [report] = nights.reports(organization_id)
        rows = nights.bench.db.execute(ratings, [organization_id]).fetchall()
        kept = {row["item_id"]: (row["mean"], row["deviation"]) for row in rows if row["item_id"] in touched}
        if kept != running:
            faults[f"{number}: {statement[:80]}"] = ["the calibration changed an item that was counted meanwhile"]
        assert report["touched"] + report["incomplete"] == len(kept)
        nights.pass_by(organization_id)
        if found := nights.faults(organization_id, clean, BOTH):
            faults[f"{number}: {statement[:80]}"] = found[:3]

    assert faults == {}


def test_calibrations_under_load_disturb_no_voter_or_worker(nights, connect, monkeypatch):
    """Two calibrate without a pause, three workers count and eight voters rate; one quiet calibration follows."""
    events = rating_load.made_up(rating_load.EVENTS, items=60, voters=40)
    clean, _statements = nights.clean(events)
    crowd = rating_results.stage(nights.bench.db)
    nights.bench.db.execute("update rating.settings set period_seconds = 1 where organization_id = %s", [crowd])
    over, errors = threading.Event(), []

    def calibrate():
        try:
            while not over.wait(0.01):
                calibration_crashes.calibrate(nights.bench.url, crowd)
        except BaseException as error:  # raised in the test's own thread
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
