"""Input of a calibration: an organization's items and voters as of one moment, then its votes and sliders, by pages.

Only counted events are read: a vote that waits for one of its items is left to the worker. Pages are separate
statements and so see later moments than the first one. An item or voter with more events in them than in the first
statement has a new version by then, and is not changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import numpy as np

from marquee.core import database
from marquee.rating.types import Floats, Integers, ModelName, Population

ITEMS_MOST = 100_000
VOTERS_MOST = 200_000
VOTES_MOST = 2_000_000
SLIDERS_MOST = 500_000
PAGE = 100_000

VOTES = """
select p.* from rating.counted_votes(organization_id => %s, before_at => %s, before_id => %s, most => %s) as p
"""
SLIDERS = """
select p.* from rating.counted_sliders(organization_id => %s, before_at => %s, before_id => %s, most => %s) as p
"""


@dataclass(frozen=True, slots=True)
class Standings:
    """Items and voters in the state of the running model.

    Arrays of items share one length, those of voters another.
    """

    organization_id: UUID
    began_at: datetime
    calibration_id: int | None
    model: ModelName
    population: Population
    item_ids: list[str]
    item_versions: list[int]
    item_votes: Integers
    fires: Floats
    means: Floats
    items_left_out: int
    voter_ids: list[str]
    voter_versions: list[int]
    voter_votes: Integers
    voter_sliders: Integers


@dataclass(frozen=True, slots=True)
class Counted:
    """Votes that both items have counted: winner, loser, and weight (1 or 2).

    Winner, loser and voter are places in the standings.
    """

    winner: Integers
    loser: Integers
    voter: Integers
    weight: Floats


@dataclass(frozen=True, slots=True)
class Read:
    """Counted sliders: their item and voter (places in the standings), and their values."""

    item: Integers
    voter: Integers
    value: Floats


def standings(organization_id: UUID, *, items_most: int = ITEMS_MOST, voters_most: int = VOTERS_MOST) -> Standings:
    """Return an organization's current items and voters; only those with the most votes if there are more."""
    with database.single(database.service()) as session:
        [row] = session.all(
            "select s.*"
            " from rating.read_calibration_input(organization_id => %s, items_most => %s, voters_most => %s) as s",
            [organization_id, items_most, voters_most],
        )
    return Standings(
        organization_id=organization_id,
        began_at=row["began_at"],
        calibration_id=row["calibration_id"],
        model=cast(ModelName, row["model"]),
        population=population_of(row["population"]),
        item_ids=row["item_ids"],
        item_versions=row["item_versions"],
        item_votes=np.array(row["item_votes"], dtype=np.int64),
        fires=np.array(row["item_fires"], dtype=np.float64),
        means=np.array(row["means"], dtype=np.float64),
        items_left_out=row["items_left_out"],
        voter_ids=row["voter_ids"],
        voter_versions=row["voter_versions"],
        voter_votes=np.array(row["voter_votes"], dtype=np.int64),
        voter_sliders=np.array(row["voter_sliders"], dtype=np.int64),
    )


def population_of(row: Mapping[str, Any] | None) -> Population:
    """Return a row of rating.populations in the form of the models, or the defaults."""
    return Population() if row is None else Population(**{part.name: row[part.name] for part in fields(Population)})


def counted(known: Standings, *, most: int = VOTES_MOST, page: int = PAGE) -> Counted:
    """Return the newest votes that both items have counted, at most `most`.

    Votes of unknown items or voters are omitted.
    """
    place_of_item, place_of_voter = _places(known.item_ids), _places(known.voter_ids)
    pages = []
    for row in _pages(VOTES, known.organization_id, most, page):
        items, voters = place_of_item(row["item_ids"]), place_of_voter(row["voter_ids"])
        columns = [
            items[_numbers(row["winners"])],
            items[_numbers(row["losers"])],
            voters[_numbers(row["voters"])],
            _numbers(row["weights"]),
        ]
        pages.append(np.array(columns)[:, np.min(columns[:3], axis=0) >= 0])
    winner, loser, voter, weight = np.concatenate([np.zeros((4, 0), dtype=np.int64), *pages], axis=1)
    return Counted(winner, loser, voter, weight.astype(np.float64))


def read_sliders(known: Standings, *, most: int = SLIDERS_MOST, page: int = PAGE) -> Read:
    """Return the newest counted sliders, at most `most`, without those of unknown items or voters."""
    place_of_item, place_of_voter = _places(known.item_ids), _places(known.voter_ids)
    items, voters, values = [], [], []
    for row in _pages(SLIDERS, known.organization_id, most, page):
        item = place_of_item(row["item_ids"])[_numbers(row["items"])]
        voter = place_of_voter(row["voter_ids"])[_numbers(row["voters"])]
        both = (item >= 0) & (voter >= 0)
        items.append(item[both])
        voters.append(voter[both])
        values.append(np.frombuffer(row["readings"], dtype=">f8").astype(np.float64)[both])
    none = np.zeros(0, dtype=np.int64)
    return Read(np.concatenate([none, *items]), np.concatenate([none, *voters]), np.concatenate([none * 1.0, *values]))


def _pages(query: str, organization_id: UUID, most: int, page: int) -> Sequence[Mapping[str, Any]]:
    """Return pages of a query, until the last one or the maximum."""
    rows: list[Mapping[str, Any]] = []
    scanned, before = 0, ["infinity", 2**63 - 1]
    while scanned < most:
        wanted = min(page, most - scanned)
        with database.single(database.service()) as session:
            [row] = session.all(query, [organization_id, *before, wanted])
        rows.append(row)
        scanned += row["scanned"]
        if row["scanned"] < wanted:
            break
        before = [row["last_at"], row["last_id"]]
    return rows


def _places(ids: Sequence[str]) -> Callable[[Sequence[str]], Integers]:
    """Return a function that maps ids to their places; -1 for unknown ids."""
    known = {each: place for place, each in enumerate(ids)}
    return lambda wanted: np.array([known.get(each, -1) for each in wanted] or [-1], dtype=np.int64)


def _numbers(column: bytes) -> Integers:
    return np.frombuffer(column, dtype=">i4").astype(np.int64)
