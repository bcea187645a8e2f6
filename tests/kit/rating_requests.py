"""Rate in tests of handlers: events as clients send them, and scores as the worker publishes them.

answer = post(stage, vote("dawn", "dusk"), caller=stage.owner)
publish(db, stage, dawn=71.5, dusk=30)
"""

import itertools
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tests.kit import gateway, stages

EVENTS = "/ratings/events"

_numbers: Iterator[int] = itertools.count(1)


def vote(preferred: str, other: str, **members: Any) -> dict[str, Any]:
    """Build a vote with its own key."""
    return {
        "type": "vote",
        "key": f"key-{next(_numbers)}",
        "item_a": preferred,
        "item_b": other,
        "winner": preferred,
        **members,
    }


def slider(item: str, value: float, **members: Any) -> dict[str, Any]:
    """Build a slider with its own key."""
    return {"type": "slider", "key": f"key-{next(_numbers)}", "item_id": item, "value": value, **members}


def fire(item: str, **members: Any) -> dict[str, Any]:
    """Build a fire with its own key."""
    return {"type": "fire", "key": f"key-{next(_numbers)}", "item_id": item, **members}


def post(stage: stages.Stage, *events: Any, **options: Any) -> gateway.Answer:
    """Post events of the stage's organization. The options are those of gateway.request."""
    body = {"organization_id": stage.organization_id, "events": list(events)}
    return gateway.post("ingest", EVENTS, body, **{"caller": stage.owner, **options})


def outcomes(answer: gateway.Answer) -> list[Any]:
    """Return each event's status or refusal code."""
    return [result.get("code") or result["status"] for result in answer.body["results"]]


def known(db: Any, stage: stages.Stage, *items: str) -> None:
    """Insert items, as if events had been counted for them."""
    for item in items:
        db.execute(
            "insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean,"
            " base_deviation) values (%s, %s, 'bayes', 1500, 350, 1500, 350)",
            [stage.organization_id, item],
        )


def publish(db: Any, organization_id: UUID, scores: dict[str, float], **columns: Any) -> None:
    """Insert scores as the worker writes them, with their history."""
    for item, score in scores.items():
        row = {
            "organization_id": organization_id,
            "item_id": item,
            "score": score,
            "mean": 1500 + 10 * score,
            "deviation": 80,
            "confidence": 60,
            "provisional": False,
            "votes": 12,
            "sliders": 3,
            "fires": 1,
            "model": "bayes",
            "model_version": "1",
            "published_at": "2030-01-01T00:00:00Z",
            **columns,
        }
        parts = {"rating_component": score, "slider_component": 50, "fire_component": 10, "reliability": 0.9}
        _insert(db, "score_history", row)
        db.execute(
            "delete from rating.item_scores where organization_id = %s and item_id = %s", [organization_id, item]
        )
        _insert(db, "item_scores", {**row, **parts})


def keep_private(db: Any, stage: stages.Stage) -> None:
    """Make the organization's scores visible to its members only."""
    db.execute("insert into rating.settings (organization_id, public) values (%s, false)", [stage.organization_id])


def counted(db: Any) -> dict[str, int]:
    """Return the number of rows of each kind of event, and of the inbox."""
    row = db.execute(
        "select (select count(*) from rating.votes) as votes, (select count(*) from rating.sliders) as sliders,"
        " (select count(*) from rating.fires) as fires, (select count(*) from rating.inbox) as inbox"
    ).fetchone()
    return dict(row)


def _insert(db: Any, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    places = ", ".join(f"%({name})s" for name in row)
    db.execute(f"insert into rating.{table} ({names}) values ({places})", row)
