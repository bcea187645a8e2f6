"""Alert rules and record_metric values for tests of alerts."""

from datetime import UTC, datetime

from psycopg.types.json import Jsonb

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


def record_metric(db, name, value, at=NOW, tags=None, unit="u"):
    """Record a value of a metric."""
    db.execute(
        "select ops.record_metrics(%s)",
        [Jsonb([{"name": name, "value": value, "unit": unit, "tags": tags or {}, "recorded_at": at.isoformat()}])],
    )


def evaluate(db, at=NOW):
    """Evaluate the alert rules, and return what changed."""
    return db.execute("select ops.evaluate_alerts(at => %s) as done", [at]).fetchone()["done"]


def insert_rule(db, name="trial", **changes):
    """Add a rule: more than 10 on average over a minute, without delay."""
    values = {
        "metric": "heat", "aggregate": "average", "window_seconds": 60, "comparison": ">", "threshold": 10,
        "for_seconds": 0, "cool_down_seconds": 0, "severity": "warning", **changes,
    }  # fmt: skip
    columns, places = ", ".join(["name", *values]), ", ".join(["%s"] * (len(values) + 1))
    db.execute(f"insert into ops.alert_rules ({columns}) values ({places})", [name, *values.values()])
