"""The database calls of a batch: few statements for any size, each with arrays in and one row of arrays out.

All except `claim` and `record` belong to one transaction, in the order in which they are here. An item's counts and the
rest of its inbox change together or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marquee.core import database
from marquee.core.database import Session
from marquee.rating.types import Booleans, Floats, Integers, Population, Settings, VoterAdditions

EVENTS_MOST = 100_000
LEASE_SECONDS = 120
JOB = "process_ratings"

STATE = (
    *("mean", "deviation", "period", "base_mean", "base_deviation", "score_sum", "information_sum"),
    *("votes", "super_votes", "wins", "sliders", "fires", "slider_sum", "slider_weight"),
    *("base_slider_sum", "base_slider_weight", "fire_weight", "reliability_sum", "reliability_count"),
)
"""Columns of rating.item_stats that are numbers."""

COUNTS = frozenset(
    {
        *("period", "votes", "super_votes", "wins", "sliders", "fires", "reliability_count", "version"),
        *("agreed", "base_sliders", "opponent_period", "opponent_version"),
    }
)
"""The columns of whole numbers."""

_OF_OTHERS = tuple(f"opponent_{name}" for name in (*STATE[:5], "version"))
_PUBLISHED = ("published_score", "published_confidence", "published_deviation", "published_at")
SCORE = ("score", "rating_component", "slider_component", "fire_component", "reliability", "confidence")

Columns = Mapping[str, Any]
"""Columns by their names: arrays of numpy, and lists of lists of ids."""


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed item."""

    organization_id: UUID
    item_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Events:
    """The events that were taken; `item` is the place of an event's item among the known items."""

    item: Integers
    event_id: Integers
    kind: npt.NDArray[np.str_]
    voter: Sequence[str]
    opponent: Sequence[str | None]
    first: Booleans
    score: Floats
    weight: Floats

    def at(self, places: Integers) -> "Events":
        """Return the events at these places."""
        chosen = places.tolist()
        return Events(
            item=self.item[places],
            event_id=self.event_id[places],
            kind=self.kind[places],
            voter=[self.voter[place] for place in chosen],
            opponent=[self.opponent[place] for place in chosen],
            first=self.first[places],
            score=self.score[places],
            weight=self.weight[places],
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """The places of the items with known data or events, and their events."""

    known: list[int]
    events: Events


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization's data for a batch; `read_at` is in seconds since 1970, by the database's clock."""

    population: Population
    settings: Settings
    read_at: float


def claim(most: int) -> tuple[list[Item], int]:
    """Claim items, in the order of organization and id; commits. Also returns the number of statements."""
    with database.single(database.service()) as session:
        rows = session.all(
            "select c.organization_id, c.item_id, c.generation"
            " from rating.claim_dirty_items(most => %s, lease_seconds => %s) as c"
            " order by c.organization_id, c.item_id",
            [most, LEASE_SECONDS],
        )
        return [Item(**row) for row in rows], session.statements


def take_events(session: Session, items: Sequence[Item]) -> Taken:
    """Lock these items, and take their events: EVENTS_MOST at most."""
    row = _one(
        session,
        "select t.* from rating.take_events(organization_ids => %s::uuid[], item_ids => %s::text[], most => %s) as t",
        [_array(item.organization_id for item in items), texts(item.item_id for item in items), EVENTS_MOST],
    )
    known = np.array(row["known"], np.int64)
    return Taken(
        known=(known - 1).tolist(),
        events=Events(
            item=np.searchsorted(known, np.array(row["numbers"] or [], np.int64)),
            event_id=np.array(row["event_ids"] or [], np.int64),
            kind=np.array(row["kinds"] or [], np.str_),
            voter=row["voter_ids"] or [],
            opponent=row["opponent_ids"] or [],
            first=np.array(row["firsts"] or [], np.bool_),
            score=np.array(row["scores"] or [], np.float64),
            weight=np.array(row["weights"] or [], np.float64),
        ),
    )


def read_items(session: Session, items: Sequence[Item], opponents: Sequence[tuple[UUID, str]]) -> Columns:
    """Return columns of the items' rows, of their published scores, and opponent_* in the order of the opponents."""
    row = _one(
        session,
        "select r.* from rating.read_items(organization_ids => %s::uuid[], item_ids => %s::text[],"
        " opponent_organization_ids => %s::uuid[], opponent_ids => %s::text[]) as r",
        [
            _array(item.organization_id for item in items),
            texts(item.item_id for item in items),
            _array(organization_id for organization_id, _ in opponents),
            texts(item_id for _, item_id in opponents),
        ],
    )
    columns: dict[str, Any] = {name: row[name] for name in ("opponents", "slider_voters")}
    columns |= {name: _numbers(name, row[name]) for name in (*STATE, "version", *_OF_OTHERS, *_PUBLISHED)}
    return columns


def read_voters(session: Session, voters: Sequence[tuple[UUID, str]]) -> Columns:
    """Return columns of the voters' rows, in their order."""
    row = _one(
        session,
        "select r.* from rating.read_voters(organization_ids => %s::uuid[], voter_ids => %s::text[]) as r",
        [_array(organization_id for organization_id, _ in voters), texts(voter_id for _, voter_id in voters)],
    )
    return {name: _numbers(name, column) for name, column in row.items()}


def read_organizations(session: Session, organization_ids: Sequence[UUID]) -> dict[UUID, Organization]:
    """Return each organization's estimates and settings."""
    rows = session.all(
        "select p.* from rating.read_populations(organization_ids => %s::uuid[]) as p", [_array(organization_ids)]
    )
    return {row["organization_id"]: _organization(row) for row in rows}


def write_items(session: Session, items: Sequence[Item], columns: Mapping[str, Sequence[Any]]) -> int:
    """Write rows of items: STATE, opponents and slider_voters if `changed`, scores if `published`.

    Returns their number.
    """
    arrays = {name: _array(columns[name]) for name in (*STATE, *SCORE)}
    arrays |= {name: _array(columns[name]) for name in ("changed", "published", "provisional")}
    arrays |= {name: texts(columns[name]) for name in ("model", "model_version")}
    arrays |= {name: texts(map(texts, columns[name])) for name in ("opponents", "slider_voters")}
    arrays["organization_ids"] = _array(item.organization_id for item in items)
    arrays["item_ids"] = texts(item.item_id for item in items)
    named = ", ".join(f"{name} => %({name})s" for name in arrays)
    return int(session.value(f"select rating.write_items({named})", arrays))


def write_voters(
    session: Session, voters: Sequence[tuple[UUID, str]], periods: Sequence[int], additions: Sequence[VoterAdditions]
) -> None:
    """Add the batch's evidence to voters."""
    arrays = {
        "organization_ids": _array(organization_id for organization_id, _ in voters),
        "voter_ids": texts(voter_id for _, voter_id in voters),
        "periods": _array(periods),
    }
    for part in fields(VoterAdditions):
        arrays[part.name] = _array(value for each in additions for value in getattr(each, part.name).tolist())
    named = ", ".join(f"{name} => %({name})s" for name in arrays)
    session.value(f"select rating.write_voters({named})", arrays)


def finish(
    session: Session, items: Sequence[Item], publish_at: Sequence[float | None], report: Mapping[str, Any] | None
) -> None:
    """Finish counted items; a delayed publication is due at its time, in seconds since 1970.

    With a report, the run is recorded in the same statement.
    """
    query = (
        "select rating.finish_items(organization_ids => %s, item_ids => %s, generations => %s, publish_at => array("
        "select to_timestamp(u.at) from unnest(%s::double precision[]) with ordinality as u (at, place)"
        " order by u.place))"
    )
    arrays: list[Any] = [*_named(items), _array("null" if at is None else at for at in publish_at)]
    if report is None:
        session.value(query, arrays)
    else:
        session.value(f"{query}, {_RECORD}", [*arrays, *_recorded(report)])


def fail(items: Sequence[Item], error: str) -> None:
    """Set items aside, to be retried later; commits."""
    with database.single(database.service()) as session:
        session.value(
            "select rating.fail_items(organization_ids => %s, item_ids => %s, generations => %s, error => %s)",
            [*_named(items), error],
        )


def release(items: Sequence[Item]) -> None:
    """Release items that were not tried; commits."""
    with database.single(database.service()) as session:
        session.value(
            "select rating.release_items(organization_ids => %s, item_ids => %s, generations => %s)", _named(items)
        )


def record(report: Mapping[str, Any], error: str | None = None) -> None:
    """Record a run, a failed one with its error; commits."""
    with database.single(database.service()) as session:
        session.value(f"select {_RECORD}", _recorded(report, error))


def begin_periods() -> int:
    """Start a new period in each organization whose period is over and where items wait; commits.

    Returns their number.
    """
    with database.single(database.service()) as session:
        return int(session.value("select rating.begin_period()"))


def texts(values: Iterable[str]) -> str:
    """Return an array of texts in PostgreSQL's format."""
    return "{" + ",".join([_quoted(value) for value in values]) + "}"


_RECORD = "ops.record_job(job => %s, seconds => %s, result => %s, error => %s)"


def _recorded(report: Mapping[str, Any], error: str | None = None) -> list[Any]:
    return [JOB, sum(report["seconds"].values()), dict(report), error]


def _organization(row: Mapping[str, Any]) -> Organization:
    chosen = row["settings"] | {"tiers": tuple(row["settings"]["tiers"]), "paused_until": row["paused_until"]}
    return Organization(
        population=Population(**{part.name: row["population"][part.name] for part in fields(Population)}),
        settings=Settings(**{part.name: chosen[part.name] for part in fields(Settings)}),
        read_at=row["read_at"],
    )


def _named(items: Sequence[Item]) -> list[Any]:
    return [
        _array(item.organization_id for item in items),
        texts(item.item_id for item in items),
        _array(item.generation for item in items),
    ]


def _one(session: Session, query: str, params: Sequence[Any]) -> Mapping[str, Any]:
    row = session.one(query, params)
    if row is None:
        raise RuntimeError("A routine that returns one row returned none.")
    return row


def _numbers(name: str, values: Sequence[float | None] | None) -> Floats | Integers:
    if name in COUNTS:
        return np.array(values or [], np.int64)
    return np.array(values or [], np.float64)


def _array(values: Iterable[Any]) -> str:
    """Return an array of values without quotes (numbers, booleans, ids) in PostgreSQL's format.

    It also holds nan and infinity.
    """
    return "{" + ",".join(map(str, values)) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
