"""Rate in tests of the database: create an organization and events, and mark and claim items.

organization_id = rating_events.organization(db)
rating_events.mark(db, organization_id, "a", "b")
claimed = rating_events.claim(db)
"""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.kit import stages

Database = psycopg.Connection[dict[str, Any]]

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)

_keys = itertools.count(1)


def organization(db: Database) -> UUID:
    """Create an organization without members."""
    return stages.organization(db, name="Gallery")


def become(db: Database, person: UUID | None = None, role: str = "authenticated") -> None:
    """Set the caller that routines see: a person, or the service without one."""
    claims = {"role": role if person else "service_role", "sub": str(person) if person else None}
    db.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])


def person(db: Database, organization_id: UUID | None = None, role: str = "owner") -> UUID:
    """Create a person, with a role in the organization if one is given."""
    made = uuid4()
    db.execute("insert into users.profiles (id, name) values (%s, 'ana')", [made])
    if organization_id:
        member(db, organization_id, made, role)
    return made


def member(db: Database, organization_id: UUID, person: UUID, role: str = "owner") -> None:
    """Give a person a role in an organization."""
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role)"
        " values (%s, %s, %s::text::organizations.member_role)",
        [organization_id, person, role],
    )


def vote(winner: str = "a", loser: str = "b", voter: str = "ana", **members: Any) -> dict[str, Any]:
    """Build a vote as a client sends it, with its own key."""
    pair = {"item_a": winner, "item_b": loser, "winner": winner}
    return {"type": "vote", "key": f"key-{next(_keys)}", "voter_id": voter, **pair, **members}


def slider(item: str = "a", value: Any = 50, voter: str = "ana", **members: Any) -> dict[str, Any]:
    """Build a slider as a client sends it."""
    return {
        "type": "slider",
        "key": f"key-{next(_keys)}",
        "voter_id": voter,
        "item_id": item,
        "value": value,
        **members,
    }


def fire(item: str = "a", voter: str = "ana", **members: Any) -> dict[str, Any]:
    """Build a fire as a client sends it."""
    return {"type": "fire", "key": f"key-{next(_keys)}", "voter_id": voter, "item_id": item, **members}


def ingest(db: Database, organization_id: UUID, *events: Any) -> list[dict[str, Any]]:
    """Send events to the ingestion and return their results. A string is sent as JSON unchanged."""
    written = ",".join(one if isinstance(one, str) else json.dumps(one) for one in events)
    row = db.execute("select rating.ingest(%s, %s::json) as results", [organization_id, f"[{written}]"]).fetchone()
    assert row is not None
    results: list[dict[str, Any]] = row["results"]
    return results


def mark(db: Database, organization_id: UUID, *items: str, priority: int = 0, at: datetime = NOW) -> None:
    """Mark items as dirty."""
    db.execute("select rating.mark_dirty(%s, %s, %s, %s)", [organization_id, list(items), priority, at])


def claim(db: Database, most: int = 500, lease_seconds: int = 120, at: datetime = NOW) -> list[dict[str, Any]]:
    """Claim items as a worker."""
    query = "select * from rating.claim_dirty_items(most => %s, lease_seconds => %s, at => %s)"
    return db.execute(query, [most, lease_seconds, at]).fetchall()


def names(claimed: Sequence[dict[str, Any]]) -> list[str]:
    """Return the item ids of a claim."""
    return [row["item_id"] for row in claimed]


def _arrays(claimed: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [[row[name] for row in claimed] for name in ("organization_id", "item_id", "generation")]


def finish(
    db: Database,
    claimed: Sequence[dict[str, Any]],
    *,
    publish_at: Sequence[datetime | None] | None = None,
    at: datetime = NOW,
) -> int:
    """Finish counted items, and return how many were removed from the dirty items."""
    query = "select rating.finish_items(%s, %s, %s, %s::timestamptz[], %s) as n"
    row = db.execute(query, [*_arrays(claimed), publish_at, at]).fetchone()
    assert row is not None
    return int(row["n"])


def fail(db: Database, claimed: Sequence[dict[str, Any]], error: str = "no", at: datetime = NOW) -> None:
    """Report claimed items as failed."""
    db.execute("select rating.fail_items(%s, %s, %s, %s, %s)", [*_arrays(claimed), error, at])


def release(db: Database, claimed: Sequence[dict[str, Any]]) -> None:
    """Release claimed items without an attempt."""
    db.execute("select rating.release_items(%s, %s, %s)", _arrays(claimed))
