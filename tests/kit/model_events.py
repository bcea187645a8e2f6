"""Build rating events in a short notation, for the tests of the models."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.ratings.world import NO_EVENTS, Events

Vote = tuple[int, int, int, bool]
Slider = tuple[int, int, float]
Fire = tuple[int, int]


def events(
    votes: Sequence[Vote] = (),
    sliders: Sequence[Slider] = (),
    fires: Sequence[Fire] = (),
    *,
    supers: Sequence[int] = (),
    begin: int = 0,
) -> Events:
    """Build events from votes (voter, a, b, a won), sliders (voter, item, value) and fires (voter, item).

    Ids count up from `begin`. `supers` are the indexes of the super votes.
    """
    voter, a, b, won = (np.array(column, dtype=np.int64) for column in zip(*votes, strict=True)) if votes else _none(4)
    who, what, value = (np.array(column) for column in zip(*sliders, strict=True)) if sliders else _none(3)
    lit_by, lit = (np.array(column, dtype=np.int64) for column in zip(*fires, strict=True)) if fires else _none(2)
    weight = np.ones(len(votes))
    weight[list(supers)] = 2.0
    return replace(
        NO_EVENTS,
        vote_id=begin + np.arange(len(votes)),
        voter=voter,
        a=a,
        b=b,
        a_won=won.astype(bool),
        weight=weight,
        slider_id=begin + len(votes) + np.arange(len(sliders)),
        slider_voter=who.astype(np.int64),
        slider_item=what.astype(np.int64),
        slider_value=value.astype(np.float64),
        fire_voter=lit_by,
        fire_item=lit,
    )


def _none(columns: int) -> list[np.ndarray]:
    return [np.zeros(0, dtype=np.int64)] * columns
