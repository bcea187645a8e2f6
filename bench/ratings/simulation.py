"""A tournament of items with known strengths, and raters of whom some click at random."""

from dataclasses import dataclass

import numpy as np

from bench.ratings.world import Events
from marquee.rating.types import Booleans, Floats, Integers

POINTS = np.log(10) / 400


@dataclass(frozen=True, slots=True)
class Tournament:
    """True strengths in points around 0, the raters who click at random, and the events of all raters."""

    strength: Floats
    random: Booleans
    events: Events
    unseen: Events


def play(
    seed: int,
    *,
    items: int = 500,
    votes_per_item: int = 20,
    spread: float = 200.0,
    raters: int = 200,
    random_share: float = 0.0,
    sliders_per_item: int = 0,
    fires_per_item: int = 0,
    unseen: int = 20_000,
) -> Tournament:
    """Simulate a tournament of random pairs.

    Honest raters choose by the logistic of the true difference. Sliders follow the true strength, the rater's habit and
    noise. `unseen` further votes of honest raters are for predictions.
    """
    dice = np.random.default_rng(seed)
    strength = dice.normal(0.0, spread, items)
    random = np.zeros(raters, dtype=bool)
    random[: round(raters * random_share)] = True
    votes, sliders, fires = (items * each for each in (votes_per_item // 2, sliders_per_item, fires_per_item))
    a, b = _pairs(dice, items, votes)
    voter = dice.integers(0, raters, votes)
    slider_voter, slider_item = dice.integers(0, raters, sliders), np.tile(np.arange(items), sliders_per_item)
    habit = dice.normal(0.0, 10.0, raters)
    honest_value = 50.0 + 15.0 * strength[slider_item] / spread + habit[slider_voter] + dice.normal(0, 15.0, sliders)
    value = np.where(random[slider_voter], dice.uniform(0, 100, sliders), np.clip(honest_value, 0, 100))
    fire = np.unique(np.stack([dice.integers(0, items, fires), dice.integers(0, raters, fires)]), axis=1)
    none = np.zeros(0, dtype=np.int64)
    events = Events(
        vote_id=np.arange(votes),
        voter=voter,
        a=a,
        b=b,
        a_won=_judged(dice, strength[a] - strength[b], random[voter]),
        weight=np.ones(votes),
        slider_id=np.arange(votes, votes + sliders),
        slider_voter=slider_voter,
        slider_item=slider_item,
        slider_value=value,
        fire_voter=fire[1],
        fire_item=fire[0],
    )
    c, d = _pairs(dice, items, unseen)
    later = Events(
        np.arange(unseen), np.zeros(unseen, dtype=np.int64), c, d,
        _judged(dice, strength[c] - strength[d], np.zeros(unseen, dtype=bool)), np.ones(unseen),
        none, none, none, none.astype(float), none, none,
    )  # fmt: skip
    return Tournament(strength, random, events, later)


def _pairs(dice: np.random.Generator, items: int, pairs: int) -> tuple[Integers, Integers]:
    """Draw pairs in which items are about equally frequent: shuffled rounds, split in halves."""
    rounds = -(-2 * pairs // items)
    order = np.concatenate([dice.permutation(items) for _ in range(rounds)])[: 2 * pairs].reshape(-1, 2)
    order[order[:, 0] == order[:, 1], 1] += 1
    order[:, 1] %= items
    return order[:, 0].copy(), order[:, 1].copy()


def _judged(dice: np.random.Generator, difference: Floats, random: Booleans) -> Booleans:
    probability = np.where(random, 0.5, 1.0 / (1.0 + np.exp(-POINTS * difference)))
    return np.asarray(dice.random(len(difference)) < probability)
