"""Items and voters in memory. A model's outcomes are applied to them as the database does."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from marquee.rating.models import model, rate
from marquee.rating.types import (
    Batch,
    Booleans,
    Fires,
    Floats,
    Integers,
    Items,
    ModelName,
    Outcome,
    Population,
    Settings,
    Sliders,
    VoterAdditions,
    Voters,
    Votes,
)


@dataclass(frozen=True, slots=True)
class Events:
    """Votes, sliders and fires, with one array for each column. Items and voters are numbers from 0."""

    vote_id: Integers
    voter: Integers
    a: Integers
    b: Integers
    a_won: Booleans
    weight: Floats
    slider_id: Integers
    slider_voter: Integers
    slider_item: Integers
    slider_value: Floats
    fire_voter: Integers
    fire_item: Integers

    def votes_at(self, chosen: Integers | Booleans) -> "Events":
        """Return only the chosen votes."""
        return replace(
            NO_EVENTS,
            **{name: getattr(self, name)[chosen] for name in ("vote_id", "voter", "a", "b", "a_won", "weight")},
        )


_NONE = np.zeros(0, dtype=np.int64)
NO_EVENTS = Events(
    _NONE, _NONE, _NONE, _NONE, _NONE.astype(bool), _NONE.astype(float), _NONE, _NONE, _NONE, _NONE.astype(float),
    _NONE, _NONE,
)  # fmt: skip

_REAL = {
    "mean", "deviation", "base_mean", "base_deviation", "score_sum", "information_sum", "slider_sum", "slider_weight",
    "base_slider_sum", "base_slider_weight", "fire_weight", "reliability_sum", "expected", "log_odds", "base_log_odds",
    "slider_square_sum", "residual_sum", "residual_square_sum", "base_residual_sum", "base_residual_square_sum",
}  # fmt: skip


class World:
    """All items and voters of one organization, and the events that they have counted."""

    def __init__(self, name: ModelName, items: int, voters: int, population: Population | None = None) -> None:
        self.name = name
        self.population = population or Population()
        self.settings = Settings(model=name)
        self.items = empty_items(name, items, self.population)
        self.voters = empty_voters(voters)

    def begin_period(self) -> None:
        """Start a period: its events count against the ratings as they are now."""
        self.population = replace(self.population, period=self.population.period + 1)

    def count(self, events: Events, own: Sequence[int] | None = None) -> Outcome:
        """Rate the items `own` (default: all, in order) by the events that concern them."""
        items = np.arange(len(self.items.ids)) if own is None else np.array(own, dtype=np.int64)
        batch = self.batch(events, items)
        outcome = rate(self.name, batch)
        self._write(items, outcome)
        return outcome

    def batch(self, events: Events, own: Integers) -> Batch:
        """Return the batch of these items and events."""
        others = np.setdiff1d(np.arange(len(self.items.ids)), own)
        order = np.concatenate([own, others])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return Batch(
            items=rows_of(self.items, order, len(own)),
            voters=self.voters,
            votes=_votes(events, place, len(own)),
            sliders=_sliders(events, place, len(own)),
            fires=_fires(events, place, len(own)),
            population=self.population,
            settings=self.settings,
        )

    def _write(self, places: Integers, outcome: Outcome) -> None:
        changed: dict[str, Any] = {}
        for part in fields(Items):
            new, old = getattr(outcome.items, part.name), getattr(self.items, part.name)
            if isinstance(old, np.ndarray):
                changed[part.name] = old.copy()
                changed[part.name][places] = new
            elif part.name != "count":
                changed[part.name] = list(old)
                for place, value in zip(places.tolist(), new, strict=True):
                    changed[part.name][place] = value
        self.items = replace(self.items, **changed)
        self.voters = added(self.voters, outcome.voters, self.population.period)


def added(voters: Voters, more: VoterAdditions, period: int) -> Voters:
    """Return the voters after a batch of a period, where only voters of the batch change, as in the database."""
    concerned = (more.votes + more.sliders + more.fires) > 0
    is_new_period = concerned & (voters.period < period)
    base: dict[str, Any] = {
        f"base_{name}": np.where(is_new_period, getattr(voters, name), getattr(voters, f"base_{name}"))
        for name in ("log_odds", "sliders", "residual_sum", "residual_square_sum")
    }
    known = {part.name for part in fields(Voters)}
    sums: dict[str, Any] = {
        part.name: getattr(voters, part.name) + getattr(more, part.name)
        for part in fields(VoterAdditions)
        if part.name in known
    }
    return replace(voters, period=np.where(concerned, np.maximum(voters.period, period), voters.period), **base, **sums)


def empty_items(name: ModelName, length: int, population: Population) -> Items:
    """Return items without events."""
    mean, deviation = model(name).initial(population)
    start = {"mean": mean, "base_mean": mean, "deviation": deviation, "base_deviation": deviation}
    columns = {
        part.name: np.full(length, start.get(part.name, 0.0), dtype=float if part.name in _REAL else int)
        for part in fields(Items)
        if part.name not in {"ids", "count", "opponents", "slider_voters"}
    }
    ids = [f"i{number:06d}" for number in range(length)]
    return Items(ids, length, **columns, opponents=[[]] * length, slider_voters=[[]] * length)


def empty_voters(length: int) -> Voters:
    """Return voters without events."""
    columns = {
        part.name: np.zeros(length, dtype=float if part.name in _REAL else int)
        for part in fields(Voters)
        if part.name != "ids"
    }
    return Voters([f"v{number:06d}" for number in range(length)], **columns)


def rows_of(items: Items, order: Integers, count: int) -> Items:
    """Return the items in another order, of which the first `count` are the batch's own."""
    chosen: dict[str, Any] = {}
    for part in fields(Items):
        column = getattr(items, part.name)
        if isinstance(column, np.ndarray):
            chosen[part.name] = column[order]
        elif part.name != "count":
            chosen[part.name] = [column[at] for at in order.tolist()]
    return Items(count=count, **chosen)


def _votes(events: Events, place: Integers, count: int) -> Votes:
    a, b = place[events.a], place[events.b]
    item, opponent = np.concatenate([a, b]), np.concatenate([b, a])
    first = np.concatenate([np.ones(len(a), bool), np.zeros(len(a), bool)])
    score = np.concatenate([events.a_won, ~events.a_won]).astype(np.float64)
    own = item < count
    twice = (events.voter, events.weight, events.vote_id)
    voter, weight, event_id = (np.concatenate([column, column])[own] for column in twice)
    return Votes(item[own], opponent[own], voter, score[own], weight, first[own], event_id)


def _sliders(events: Events, place: Integers, count: int) -> Sliders:
    item = place[events.slider_item]
    own = item < count
    return Sliders(item[own], events.slider_voter[own], events.slider_value[own], events.slider_id[own])


def _fires(events: Events, place: Integers, count: int) -> Fires:
    item = place[events.fire_item]
    own = item < count
    return Fires(item[own], events.fire_voter[own])
