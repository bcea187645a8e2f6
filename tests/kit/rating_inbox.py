"""Put events directly into rating.inbox, as the ingestion does, and read the worker's results.

box = rating_inbox.Inbox(db, organization_id)
box.vote("ana", "a", "b")            # ana prefers a to b
box.slider("ben", "a", 70)
box.fire("cleo", "a")
box.put()
"""

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

_PUT = """
with placed as (
    select e.*, nextval('rating.event_ids') as event_id
    from unnest(
        %s::text[], %s::text[], %s::text[], %s::text[], %s::double precision[], %s::smallint[]
    ) with ordinality as e (kind, voter_id, item_id, opponent_id, score, weight, place)
)

insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight)
select o.id, p.item_id, p.event_id, p.kind::rating.event_kind, p.voter_id, p.opponent_id, true, p.score, p.weight
from placed as p
cross join (select %s::uuid as id) as o
union all
select o.id, p.opponent_id, p.event_id, p.kind::rating.event_kind, p.voter_id, p.item_id, false, 1 - p.score, p.weight
from placed as p
cross join (select %s::uuid as id) as o
where p.kind = 'vote'
"""

STATE = """
select
    i.item_id, i.model::text as model, i.mean, i.deviation, i.votes, i.super_votes, i.wins, i.sliders, i.fires,
    i.score_sum, i.information_sum, i.slider_sum, i.slider_weight, i.fire_weight, i.reliability_sum,
    i.reliability_count, i.opponents, i.slider_voters, s.score, s.confidence, s.deviation as published_deviation
from rating.item_stats as i
left join rating.item_scores as s on s.organization_id = i.organization_id and s.item_id = i.item_id
where i.organization_id = %s
order by i.item_id
"""


@dataclass(slots=True)
class Inbox:
    """Collects events of an organization, in the order of their ids, until `put` inserts them."""

    db: psycopg.Connection[Any]
    organization_id: UUID
    events: list[tuple[str, str, str, str | None, float, int]] = field(default_factory=list)

    def vote(self, voter: str, winner: str, loser: str, *, weight: int = 1) -> None:
        """Add a vote for one item over another."""
        self.events.append(("vote", voter, winner, loser, 1.0, weight))

    def slider(self, voter: str, item: str, value: float) -> None:
        """Add a slider with a value for an item."""
        self.events.append(("slider", voter, item, None, float(value), 1))

    def fire(self, voter: str, item: str) -> None:
        """Add a fire for an item."""
        self.events.append(("fire", voter, item, None, 1.0, 1))

    def tournament(self, items: int, votes: int, *, voters: int = 50, seed: int = 1) -> None:
        """Add `votes` votes and two sliders for each of `items` items. Earlier items are better."""
        draw = random.Random(seed)
        names = [f"item-{number:05}" for number in range(items)]
        for number, name in enumerate(names):
            for _vote in range(votes // 2):
                other = draw.choice(names[:number] + names[number + 1 :])
                pair = (name, other) if (draw.random() < 0.8) == (name < other) else (other, name)
                self.vote(f"voter-{draw.randrange(voters)}", *pair)
            for voter in range(2):
                self.slider(f"voter-{voter}", name, draw.uniform(0, 100))

    def put(self) -> None:
        """Insert the events with one statement, which marks their items."""
        columns = [list(column) for column in zip(*self.events, strict=True)]
        self.db.execute(_PUT, [*columns, self.organization_id, self.organization_id])
        self.events.clear()

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the internal and published state of each item."""
        return {row.pop("item_id"): row for row in self.db.execute(STATE, [self.organization_id]).fetchall()}

    def choose(self, **columns: Any) -> None:
        """Insert settings of the organization, which must have none yet."""
        names = ", ".join(columns)
        self.db.execute(
            f"insert into rating.settings (organization_id, {names}) values (%s{', %s' * len(columns)})",
            [self.organization_id, *columns.values()],
        )

    def left(self) -> tuple[int, int]:
        """Return the number of rows in the inbox and of marked items."""
        row = self.db.execute(
            "select (select count(*) from rating.inbox) as events, (select count(*) from rating.dirty_items) as items"
        ).fetchone()
        return row["events"], row["items"]


def dirty(db: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Return the marked items of all organizations, with the seconds until each is available."""
    return db.execute(
        "select *, extract(epoch from available_at - now()) as seconds from rating.dirty_items order by item_id"
    ).fetchall()
