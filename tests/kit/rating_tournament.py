"""Create a tournament in the database: votes, sliders and fires of items with known strengths, as if counted.

    played = rating_tournament.play(db, items=40, raters=60, random_share=0.3)

The running ratings are all at the prior. A correct final rating is therefore the work of the fit.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from bench.ratings import simulation
from tests.kit import stages

ITEM = """
insert into rating.item_stats (
    organization_id, item_id, model, period, mean, deviation, base_mean, base_deviation, votes, sliders, fires,
    fire_weight, version
)
values (%s, %s, %s, 1, 1500, 350, 1500, 350, %s, %s, %s, %s, 1)
"""
VOTER = """
insert into rating.voters (organization_id, voter_id, votes, sliders, period, version) values (%s, %s, %s, %s, 1, 1)
"""


@dataclass(frozen=True, slots=True)
class Played:
    """A tournament that was played, and its database."""

    db: psycopg.Connection[Any]
    organization_id: UUID
    items: list[str]
    voters: list[str]
    truth: simulation.Tournament

    def row(self, item: int) -> dict[str, Any]:
        """Return an item's row of rating.item_stats."""
        query = "select * from rating.item_stats where organization_id = %s and item_id = %s"
        return dict(self.db.execute(query, [self.organization_id, self.items[item]]).fetchone())

    def column(self, name: str, table: str = "item_stats", key: str = "item_id") -> np.ndarray:
        """Return a column of all items or voters, in their order."""
        query = f"select {name} as value from rating.{table} where organization_id = %s order by {key}"
        return np.array([row["value"] for row in self.db.execute(query, [self.organization_id])])

    def reports(self) -> list[dict[str, Any]]:
        """Return the rows of rating.calibrations in their order."""
        query = "select * from rating.calibrations where organization_id = %s order by id"
        return [dict(row) for row in self.db.execute(query, [self.organization_id])]

    def marked(self) -> set[str]:
        """Return the items that are marked for publication."""
        query = "select item_id from rating.dirty_items where organization_id = %s"
        return {row["item_id"] for row in self.db.execute(query, [self.organization_id])}

    def put_back(self, item: int, vote: int) -> None:
        """Put a vote back into an item's inbox and lower the counters, as if the item had not counted it."""
        self.db.execute(
            """
            insert into rating.inbox (
                organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight
            )
            select
                v.organization_id, %(item)s::text, v.event_id, 'vote', v.voter_id,
                case when v.item_a = %(item)s::text then v.item_b else v.item_a end, v.item_a = %(item)s::text,
                (v.winner = %(item)s::text)::integer, 1
            from rating.votes as v
            where v.organization_id = %(organization_id)s and v.key = %(vote)s
            """,
            {"organization_id": self.organization_id, "item": self.items[item], "vote": f"v-{vote}"},
        )
        self.db.execute(
            "update rating.item_stats set votes = votes - 1 where organization_id = %s and item_id = %s",
            [self.organization_id, self.items[item]],
        )
        self.db.execute(
            """
            update rating.voters as r set votes = r.votes - 1
            from rating.votes as v
            where
                r.organization_id = v.organization_id
                and r.voter_id = v.voter_id
                and v.organization_id = %s
                and v.key = %s
                and v.item_a = %s
            """,
            [self.organization_id, f"v-{vote}", self.items[item]],
        )


def play(db: psycopg.Connection[Any], seed: int = 1, model: str = "bayes", **how: Any) -> Played:
    """Play a tournament and insert it, with every event counted. `how` is passed to simulation.play."""
    truth = simulation.play(seed, unseen=1, **how)
    organization_id = stages.create(db).organization_id
    if model != "bayes":
        db.execute("insert into rating.settings (organization_id, model) values (%s, %s)", [organization_id, model])
    items = [f"item-{number:04d}" for number in range(len(truth.strength))]
    voters = [f"voter-{number:04d}" for number in range(len(truth.random))]
    events, first = truth.events, 100_000 * seed
    rows = zip(
        events.vote_id.tolist(), events.voter.tolist(), events.a.tolist(), events.b.tolist(), events.a_won, strict=True
    )
    columns = "event_id, organization_id, key, voter_id, item_a, item_b, winner, received_at"
    with db.cursor() as cursor, cursor.copy(f"copy rating.votes ({columns}) from stdin") as copy:
        for number, voter, a, b, a_won in rows:
            pair = (items[a], items[b])
            copy.write_row(
                (
                    first + number,
                    organization_id,
                    f"v-{number}",
                    voters[voter],
                    *pair,
                    pair[not a_won],
                    "2026-11-01 12:00Z",
                )
            )
    columns = "event_id, organization_id, key, voter_id, item_id, value, received_at"
    with db.cursor() as cursor, cursor.copy(f"copy rating.sliders ({columns}) from stdin") as copy:
        for number, voter, item, value in zip(
            events.slider_id.tolist(), events.slider_voter, events.slider_item, events.slider_value, strict=True
        ):
            copy.write_row(
                (
                    first + number,
                    organization_id,
                    f"s-{number}",
                    voters[voter],
                    items[item],
                    float(value),
                    "2026-11-01 12:00Z",
                )
            )
    both = np.concatenate([events.a, events.b])
    of_items = [
        np.bincount(part, minlength=len(items)).tolist() for part in (both, events.slider_item, events.fire_item)
    ]
    of_voters = [np.bincount(part, minlength=len(voters)).tolist() for part in (events.voter, events.slider_voter)]
    with db.cursor() as cursor:
        cursor.executemany(
            ITEM,
            [(organization_id, item, model, v, s, f, f) for item, v, s, f in zip(items, *of_items, strict=True)],
        )
        cursor.executemany(
            VOTER, [(organization_id, voter, v, s) for voter, v, s in zip(voters, *of_voters, strict=True)]
        )
    return Played(db, organization_id, items, voters, truth)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Compute Spearman's rank correlation of values without ties."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])
