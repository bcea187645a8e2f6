"""Alert rules: each rule can fire, fires once for one problem, and resolves its alert."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.kit import scheduling
from tests.kit.alerts import NOW, evaluate, insert_rule, record_metric

SEEDED = [
    "booking_slow",
    "booking_very_slow",
    "counters_drifted",
    "database_slow",
    "database_very_slow",
    "default_partition_filled",
    "errors_frequent",
    "errors_very_frequent",
    "holds_not_expiring",
    "jobs_failing",
    "jobs_late",
    "ledger_not_sealed",
    "ledger_tampered",
    "ledger_unbalanced",
    "outbox_late",
    "outbox_parked",
    "partition_maintenance_failed",
    "ratings_failing",
    "ratings_late",
    "reconciliation_differs",
    "refunds_failed",
    "waitlist_offer_late",
    "webhooks_late",
    "webhooks_parked",
]
WRITTEN_BY_FUNCTIONS = {"booking_operation_duration", "request_errors"}


def alerts(db, name="trial"):
    return db.execute("select fired_at, resolved_at from ops.alerts where rule = %s order by id", [name]).fetchall()


def outbox(db):
    rows = db.execute("select topic, payload from public.outbox order by id").fetchall()
    return [(row["topic"], row["payload"]["rule"]) for row in rows]


def test_seeded_rules_are_complete(db):
    rules = db.execute("select name from ops.alert_rules order by name").fetchall()

    assert [row["name"] for row in rules] == SEEDED


@pytest.mark.parametrize("name", SEEDED)
def test_each_seeded_rule_fires_above_its_threshold(db, name):
    the_rule = db.execute("select * from ops.alert_rules where name = %s", [name]).fetchone()
    tags = {"of": 10} if the_rule["aggregate"] == "rate" else {}
    fired = []
    for seconds in range(0, the_rule["for_seconds"] + 61, 60):
        at = NOW + timedelta(seconds=seconds)
        record_metric(db, the_rule["metric"], the_rule["threshold"] + 1, at, tags)
        fired += evaluate(db, at)["fired"]

    assert fired.count(name) == 1


@pytest.mark.parametrize("name", SEEDED)
def test_seeded_rule_does_not_fire_at_its_threshold(db, name):
    the_rule = db.execute("select * from ops.alert_rules where name = %s", [name]).fetchone()
    tags = {"of": 100} if the_rule["aggregate"] == "rate" else {}
    for seconds in range(0, 600, 60):
        at = NOW + timedelta(seconds=seconds)
        record_metric(db, the_rule["metric"], the_rule["threshold"], at, tags)
        assert name not in evaluate(db, at)["fired"]


def test_metric_of_every_rule_is_recorded(db):
    """The health check records the metrics every minute, or functions record them from the requests they serve."""
    db.execute("select ops.check_health(database_ms => 5)")
    written = {row["name"] for row in db.execute("select distinct name from ops.performance_metrics").fetchall()}

    wanted = {row["metric"] for row in db.execute("select metric from ops.alert_rules").fetchall()}

    assert wanted <= written | WRITTEN_BY_FUNCTIONS


@pytest.mark.parametrize(
    ("aggregate", "values", "expected"),
    [
        ("p95", [10.0] * 19 + [1000.0], 59.5),
        ("average", [10.0, 20.0, 60.0], 30.0),
        ("maximum", [10.0, 70.0, 20.0], 70.0),
        ("count", [1.0, 1.0, 1.0], 3.0),
        ("latest", [50.0, 70.0, 20.0], 20.0),
        ("rate", [1.0, 2.0, 0.0], 100.0),
    ],
)
def test_aggregate_covers_exactly_its_window(db, aggregate, values, expected):
    record_metric(db, "heat", 9999, NOW - timedelta(seconds=60))
    record_metric(db, "heat", 9999, NOW + timedelta(milliseconds=1))
    for number, value in enumerate(values):
        record_metric(db, "heat", value, NOW - timedelta(seconds=len(values) - number))

    row = db.execute("select ops.metric_aggregate('heat', %s, 60, %s) as value", [aggregate, NOW]).fetchone()

    assert row["value"] == pytest.approx(expected)


def test_rate_is_a_percentage_weighted_by_batch_size(db):
    record_metric(db, "errors", 3, tags={"of": 100})
    record_metric(db, "errors", 0, tags={"of": 200})

    row = db.execute("select ops.metric_aggregate('errors', 'rate', 60, %s) as value", [NOW]).fetchone()

    assert row["value"] == pytest.approx(1.0)


def test_ongoing_problem_fires_one_alert(db):
    insert_rule(db)
    for seconds in range(0, 300, 20):
        record_metric(db, "heat", 50, NOW + timedelta(seconds=seconds))
        evaluate(db, NOW + timedelta(seconds=seconds))

    assert len(alerts(db)) == 1
    assert outbox(db) == [("alert.fired", "trial")]


def test_concurrent_evaluations_fire_one_alert(db, connect):
    insert_rule(db)
    record_metric(db, "heat", 50)
    first, second, outcomes = connect(autocommit=False), connect(), []
    assert evaluate(first)["fired"] == ["trial"]
    other = threading.Thread(target=lambda: outcomes.append(evaluate(second)))
    other.start()
    time.sleep(0.3)  # the second evaluation now waits for the lock

    first.commit()
    other.join(timeout=10)

    assert [done["fired"] for done in outcomes] == [[]]
    assert len(alerts(db)) == 1
    assert outbox(db) == [("alert.fired", "trial")]


def test_cleared_problem_resolves_its_alert_and_sends_a_message(db):
    insert_rule(db)
    record_metric(db, "heat", 50)
    assert evaluate(db)["fired"] == ["trial"]
    later = NOW + timedelta(seconds=90)
    record_metric(db, "heat", 1, later)

    done = evaluate(db, later)

    assert done == {"fired": [], "resolved": ["trial"], "open": 0}
    assert alerts(db) == [{"fired_at": NOW, "resolved_at": later}]
    assert outbox(db) == [("alert.fired", "trial"), ("alert.resolved", "trial")]


def test_alert_without_measurements_is_resolved(db):
    insert_rule(db)
    record_metric(db, "heat", 50)
    evaluate(db)

    assert evaluate(db, NOW + timedelta(seconds=60))["resolved"] == ["trial"]


def test_rule_fires_only_after_its_duration(db):
    insert_rule(db, for_seconds=120)
    fired = []
    for seconds in (0, 60, 119, 120):
        at = NOW + timedelta(seconds=seconds)
        record_metric(db, "heat", 50, at)
        fired.append(evaluate(db, at)["fired"])

    assert fired == [[], [], [], ["trial"]]


def test_intermittent_problem_restarts_the_duration_of_its_rule(db):
    insert_rule(db, for_seconds=60, window_seconds=10)
    for seconds, value in ((0, 50), (30, 1), (60, 50), (90, 50)):
        at = NOW + timedelta(seconds=seconds)
        record_metric(db, "heat", value, at)
        assert evaluate(db, at)["fired"] == []
    record_metric(db, "heat", 50, NOW + timedelta(seconds=120))

    assert evaluate(db, NOW + timedelta(seconds=120))["fired"] == ["trial"]
    assert len(alerts(db)) == 1


def test_resolved_rule_fires_again_only_after_its_cool_down(db):
    insert_rule(db, cool_down_seconds=300, window_seconds=10)
    fired = []
    for seconds, value in ((0, 50), (20, 1), (40, 50), (200, 50), (319, 50), (320, 50)):
        at = NOW + timedelta(seconds=seconds)
        record_metric(db, "heat", value, at)
        fired += [seconds for _ in evaluate(db, at)["fired"]]

    assert fired == [0, 320]


def test_rule_can_fire_below_its_threshold(db):
    insert_rule(db, comparison="<", threshold=5, aggregate="count")

    assert evaluate(db)["fired"] == ["trial"]


def test_disabled_rule_resolves_its_alert_and_does_not_fire(db):
    insert_rule(db)
    record_metric(db, "heat", 50)
    evaluate(db)
    db.execute("update ops.alert_rules set enabled = false where name = 'trial'")

    assert evaluate(db)["resolved"] == ["trial"]
    assert evaluate(db)["fired"] == []


def test_active_alerts_are_the_fired_and_unresolved_ones(db):
    insert_rule(db, severity="critical")
    insert_rule(db, "pending", for_seconds=300)
    record_metric(db, "heat", 50)
    evaluate(db)

    for view in ("ops.active_alerts", "public.active_alerts"):
        rows = db.execute(f"select * from {view}").fetchall()
        assert len(rows) == 1
        assert rows[0]["severity"] == "critical"


def test_seat_without_an_offer_fires_the_late_offer_alert(db):
    """Health checks measure and record the delay of the free seat, and the evaluation fires the alert."""
    world = scheduling.world(db)
    event_id = scheduling.make_event(world, capacity=1)["id"]
    scheduling.book(world, event_id, world.customer)
    scheduling.wait(world, event_id, world.second_customer)
    db.execute("alter table events.inventory disable trigger user")
    db.execute("update events.inventory set capacity = 2 where event_id = %s", [event_id])
    at = datetime.now(UTC)
    fired = []
    for minutes in range(8):
        moment = at + timedelta(minutes=minutes)
        db.execute("select ops.check_health(database_ms => 5, at => %s)", [moment])
        fired += [(name, minutes) for name in evaluate(db, moment)["fired"] if name == "waitlist_offer_late"]

    assert fired == [("waitlist_offer_late", 6)]
