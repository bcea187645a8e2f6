"""Alert rules: each can fire, none fires twice for one problem, all resolve."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.kit import scheduling
from tests.kit.alerts import NOW, evaluate, measured, rule

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


def test_there_are_the_rules_that_the_platform_asks_for(db):
    rules = db.execute("select name from ops.alert_rules order by name").fetchall()

    assert [row["name"] for row in rules] == SEEDED


@pytest.mark.parametrize("name", SEEDED)
def test_no_rule_is_one_that_could_never_fire(db, name):
    the_rule = db.execute("select * from ops.alert_rules where name = %s", [name]).fetchone()
    tags = {"of": 10} if the_rule["aggregate"] == "rate" else {}
    fired = []
    for seconds in range(0, the_rule["for_seconds"] + 61, 60):
        at = NOW + timedelta(seconds=seconds)
        measured(db, the_rule["metric"], the_rule["threshold"] + 1, at, tags)
        fired += evaluate(db, at)["fired"]

    assert fired.count(name) == 1


@pytest.mark.parametrize("name", SEEDED)
def test_no_rule_fires_on_what_is_within_its_limit(db, name):
    the_rule = db.execute("select * from ops.alert_rules where name = %s", [name]).fetchone()
    tags = {"of": 100} if the_rule["aggregate"] == "rate" else {}
    for seconds in range(0, 600, 60):
        at = NOW + timedelta(seconds=seconds)
        measured(db, the_rule["metric"], the_rule["threshold"], at, tags)
        assert name not in evaluate(db, at)["fired"]


def test_every_rules_metric_is_written_by_somebody(db):
    """By the health check, which runs every minute, or by the samples of functions that answer requests."""
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
def test_aggregates_are_of_the_window_and_of_nothing_else(db, aggregate, values, expected):
    measured(db, "heat", 9999, NOW - timedelta(seconds=60))
    measured(db, "heat", 9999, NOW + timedelta(milliseconds=1))
    for number, value in enumerate(values):
        measured(db, "heat", value, NOW - timedelta(seconds=len(values) - number))

    row = db.execute("select ops.metric_aggregate('heat', %s, 60, %s) as value", [aggregate, NOW]).fetchone()

    assert row["value"] == pytest.approx(expected)


def test_a_rate_is_of_a_hundred_and_counts_batches_by_their_size(db):
    measured(db, "errors", 3, tags={"of": 100})
    measured(db, "errors", 0, tags={"of": 200})

    row = db.execute("select ops.metric_aggregate('errors', 'rate', 60, %s) as value", [NOW]).fetchone()

    assert row["value"] == pytest.approx(1.0)


def test_the_same_problem_is_not_raised_twice(db):
    rule(db)
    for seconds in range(0, 300, 20):
        measured(db, "heat", 50, NOW + timedelta(seconds=seconds))
        evaluate(db, NOW + timedelta(seconds=seconds))

    assert len(alerts(db)) == 1
    assert outbox(db) == [("alert.fired", "trial")]


def test_two_evaluations_at_once_raise_one_alert(db, connect):
    rule(db)
    measured(db, "heat", 50)
    first, second, outcomes = connect(autocommit=False), connect(), []
    assert evaluate(first)["fired"] == ["trial"]
    other = threading.Thread(target=lambda: outcomes.append(evaluate(second)))
    other.start()
    time.sleep(0.3)  # it has come to where it must wait

    first.commit()
    other.join(timeout=10)

    assert [done["fired"] for done in outcomes] == [[]]
    assert len(alerts(db)) == 1
    assert outbox(db) == [("alert.fired", "trial")]


def test_what_has_cleared_is_resolved_and_told(db):
    rule(db)
    measured(db, "heat", 50)
    assert evaluate(db)["fired"] == ["trial"]
    later = NOW + timedelta(seconds=90)
    measured(db, "heat", 1, later)

    done = evaluate(db, later)

    assert done == {"fired": [], "resolved": ["trial"], "open": 0}
    assert alerts(db) == [{"fired_at": NOW, "resolved_at": later}]
    assert outbox(db) == [("alert.fired", "trial"), ("alert.resolved", "trial")]


def test_a_problem_that_is_not_measured_any_more_is_resolved(db):
    rule(db)
    measured(db, "heat", 50)
    evaluate(db)

    assert evaluate(db, NOW + timedelta(seconds=60))["resolved"] == ["trial"]


def test_a_rule_fires_only_after_its_time(db):
    rule(db, for_seconds=120)
    fired = []
    for seconds in (0, 60, 119, 120):
        at = NOW + timedelta(seconds=seconds)
        measured(db, "heat", 50, at)
        fired.append(evaluate(db, at)["fired"])

    assert fired == [[], [], [], ["trial"]]


def test_a_problem_that_comes_and_goes_starts_its_time_anew(db):
    rule(db, for_seconds=60, window_seconds=10)
    for seconds, value in ((0, 50), (30, 1), (60, 50), (90, 50)):
        at = NOW + timedelta(seconds=seconds)
        measured(db, "heat", value, at)
        assert evaluate(db, at)["fired"] == []
    measured(db, "heat", 50, NOW + timedelta(seconds=120))

    assert evaluate(db, NOW + timedelta(seconds=120))["fired"] == ["trial"]
    assert len(alerts(db)) == 1


def test_a_rule_rests_after_a_resolution_and_fires_again_after_its_cool_down(db):
    rule(db, cool_down_seconds=300, window_seconds=10)
    fired = []
    for seconds, value in ((0, 50), (20, 1), (40, 50), (200, 50), (319, 50), (320, 50)):
        at = NOW + timedelta(seconds=seconds)
        measured(db, "heat", value, at)
        fired += [seconds for _ in evaluate(db, at)["fired"]]

    assert fired == [0, 320]


def test_too_little_can_be_a_problem_too(db):
    rule(db, comparison="<", threshold=5, aggregate="count")

    assert evaluate(db)["fired"] == ["trial"]


def test_a_rule_that_is_switched_off_resolves_and_stays_silent(db):
    rule(db)
    measured(db, "heat", 50)
    evaluate(db)
    db.execute("update ops.alert_rules set enabled = false where name = 'trial'")

    assert evaluate(db)["resolved"] == ["trial"]
    assert evaluate(db)["fired"] == []


def test_active_alerts_are_those_that_fired_and_have_not_cleared(db):
    rule(db, severity="critical")
    rule(db, "pending", for_seconds=300)
    measured(db, "heat", 50)
    evaluate(db)

    for view in ("ops.active_alerts", "public.active_alerts"):
        rows = db.execute(f"select * from {view}").fetchall()
        assert len(rows) == 1
        assert rows[0]["severity"] == "critical"


def test_an_offer_that_is_late_raises_its_alert_in_the_end(db):
    """From a free seat that nobody offers to the alert: through measuring, recording and evaluating."""
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
