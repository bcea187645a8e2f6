"""The counts that all models share, and the order in which events are counted."""

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from marquee.rating.types import Batch, Fires, Floats, Integers, Items, Sliders, VoterAdditions, Votes

_Events = TypeVar("_Events", Votes, Sliders, Fires)

IDS_MOST = 20
"""An item remembers so many opponents and slider voters: the first in the order of their ids."""


def sums(places: Integers, values: Floats, length: int) -> Floats:
    """Return the sum of `values` by place, of `length` places, added in the order given."""
    return np.bincount(places, values, length).astype(np.float64, copy=False)


def counts(places: Integers, length: int) -> Integers:
    """Count how often each of `length` places occurs."""
    return np.bincount(places, minlength=length).astype(np.int64, copy=False)


def own(items: Items) -> Items:
    """Return the batch's own items, without their opponents."""
    chosen = {part.name: getattr(items, part.name)[: items.count] for part in fields(items) if part.name != "count"}
    return replace(items, **chosen)


def in_order(batch: Batch) -> Batch:
    """Return the batch with its events in the order of their ids, and its fires in the order of their voters' ids."""
    votes, sliders, fires = batch.votes, batch.sliders, batch.fires
    by_id = np.lexsort((votes.item, votes.event_id))
    sliders_by_id = np.lexsort((sliders.item, sliders.event_id))
    fires_by_id = np.array(sorted(range(len(fires.voter)), key=lambda at: batch.voters.ids[fires.voter[at]]), dtype=int)
    return replace(
        batch,
        votes=_taken(votes, by_id),
        sliders=_taken(sliders, sliders_by_id),
        fires=_taken(fires, fires_by_id),
    )


def counted(batch: Batch) -> Items:
    """Add the batch's events to the plain counters of its own rows; ratings and sums stay unchanged."""
    items, votes, sliders, fires = own(batch.items), batch.votes, batch.sliders, batch.fires
    count = items.count
    return replace(
        items,
        votes=items.votes + counts(votes.item, count),
        super_votes=items.super_votes + counts(votes.item[votes.weight > 1.0], count),
        wins=items.wins + counts(votes.item[votes.score > 0.5], count),
        sliders=items.sliders + counts(sliders.item, count),
        fires=items.fires + counts(fires.item, count),
        opponents=_remembered(items.opponents, votes.item, votes.opponent, batch.items.ids),
        slider_voters=_remembered(items.slider_voters, sliders.item, sliders.voter, batch.voters.ids),
    )


def nothing_added(length: int) -> VoterAdditions:
    """Return additions of zero for so many voters."""
    none, nought = np.zeros(length, dtype=np.int64), np.zeros(length)
    return VoterAdditions(
        votes=none,
        agreed=none,
        expected=nought,
        log_odds=nought,
        sliders=none,
        slider_sum=nought,
        slider_square_sum=nought,
        residual_sum=nought,
        residual_square_sum=nought,
        fires=none,
    )


def _taken(events: _Events, order: npt.NDArray[np.int64]) -> _Events:
    return replace(events, **{part.name: getattr(events, part.name)[order] for part in fields(events)})


def _remembered(before: list[list[str]], items: Integers, others: Integers, ids: list[str]) -> list[list[str]]:
    named = np.array(ids, dtype=object)[others].tolist() if len(others) else []
    new: dict[int, set[str]] = {}
    for item, name in zip(items.tolist(), named, strict=True):
        if item in new:
            new[item].add(name)
        else:
            new[item] = {name}
    after = list(before)
    for item, names in new.items():
        after[item] = sorted(names.union(after[item]))[:IDS_MOST]
    return after
