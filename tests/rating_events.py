"""Ratings in tests of the database: an organization that rates, its events, and what is marked and claimed.

organization_id = rating_events.organization(db)
rating_events.mark(db, organization_id, "a", "b")
claimed = rating_events.claim(db)
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

Database = psycopg.Connection[dict[str, Any]]

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


def organization(db: Database) -> UUID:
    """A new organization, with nobody in it."""
    made = uuid4()
    db.execute(
        "insert into organizations.organizations (id, slug, name, country, currency, time_zone)"
        " values (%s, %s, 'Gallery', 'CH', 'CHF', 'Europe/Zurich')",
        [made, f"gallery-{made.hex[:8]}"],
    )
    return made


def mark(db: Database, organization_id: UUID, *items: str, priority: int = 0, at: datetime = NOW) -> None:
    """Mark items."""
    db.execute("select rating.mark_dirty(%s, %s, %s, %s)", [organization_id, list(items), priority, at])


def claim(db: Database, most: int = 500, lease_seconds: int = 120, at: datetime = NOW) -> list[dict[str, Any]]:
    """What a worker gets."""
    query = "select * from rating.claim_dirty_items(most => %s, lease_seconds => %s, at => %s)"
    return db.execute(query, [most, lease_seconds, at]).fetchall()


def names(claimed: Sequence[dict[str, Any]]) -> list[str]:
    """The items of a claim."""
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
    """Items are counted; how many left the set."""
    query = "select rating.finish_items(%s, %s, %s, %s::timestamptz[], %s) as n"
    row = db.execute(query, [*_arrays(claimed), publish_at, at]).fetchone()
    assert row is not None
    return int(row["n"])


def fail(db: Database, claimed: Sequence[dict[str, Any]], error: str = "no", at: datetime = NOW) -> None:
    """Items could not be counted."""
    db.execute("select rating.fail_items(%s, %s, %s, %s, %s)", [*_arrays(claimed), error, at])


def release(db: Database, claimed: Sequence[dict[str, Any]]) -> None:
    """Items were not tried."""
    db.execute("select rating.release_items(%s, %s, %s)", _arrays(claimed))
