"""A tournament with a known truth: items of given strengths, and raters some of whom click at random."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

COLOURS = ("amber", "azure", "crimson", "ivory", "jade", "silver")
THINGS = ("dawn", "harbour", "orchard", "tiger", "lantern", "glacier", "cellist", "market", "comet", "garden")
SPREAD_POINTS = 220.0
SLIDER_DEVIATION = 15.0
HABIT_DEVIATION = 8.0
NOISE_DEVIATION = 10.0
RATERS = 200
CLICKERS = 40

Event = dict[str, Any]


@dataclass(slots=True)
class Tournament:
    """The participants, and the secrets of the story: each item's strength in points, and the random raters.

    `run` is the prefix of every id, so that each run has its own items and raters.
    """

    run: str
    seed: int = 4
    strengths: dict[str, float] = field(init=False)
    clickers: dict[str, bool] = field(init=False)
    _habits: dict[str, float] = field(init=False)
    _dice: random.Random = field(init=False)
    _keys: "itertools.count[int]" = field(init=False)

    def __post_init__(self) -> None:
        self._dice, self._keys = random.Random(self.seed), itertools.count(1)
        names = [f"{self.run}-{colour}-{thing}" for colour in COLOURS for thing in THINGS]
        self.strengths = {name: self._dice.gauss(0.0, SPREAD_POINTS) for name in names}
        raters = [f"{self.run}-rater-{number:03d}" for number in range(1, RATERS + 1)]
        random_ones = set(self._dice.sample(raters, CLICKERS))
        self.clickers = {rater: rater in random_ones for rater in raters}
        self._habits = {rater: self._dice.gauss(0.0, HABIT_DEVIATION) for rater in raters}

    def round(self, votes_each: int, sliders_each: int) -> list[Event]:
        """Return all raters' events of a round in the form of the API, in random order."""
        events = [
            event
            for rater in self.clickers
            for event in (
                *(self._vote(rater) for _ in range(votes_each)),
                *(self._slider(rater) for _ in range(sliders_each)),
            )
        ]
        self._dice.shuffle(events)
        return events

    def _vote(self, rater: str) -> Event:
        """Draw a vote: the better item wins with the logistic probability, or, for a random rater, half the time."""
        a, b = self._dice.sample(list(self.strengths), 2)
        wins = 1.0 / (1.0 + 10.0 ** ((self.strengths[b] - self.strengths[a]) / 400.0))
        winner = a if self._dice.random() < (0.5 if self.clickers[rater] else wins) else b
        return {**self._event("vote", rater), "item_a": a, "item_b": b, "winner": winner}

    def _slider(self, rater: str) -> Event:
        item = self._dice.choice(list(self.strengths))
        seen = 50.0 + SLIDER_DEVIATION * self.strengths[item] / SPREAD_POINTS + self._habits[rater]
        value = self._dice.uniform(0, 100) if self.clickers[rater] else self._dice.gauss(seen, NOISE_DEVIATION)
        return {**self._event("slider", rater), "item_id": item, "value": round(min(100.0, max(0.0, value)), 1)}

    def _event(self, kind: str, rater: str) -> Event:
        return {"type": kind, "key": f"{self.run}-{next(self._keys)}", "voter_id": rater}


def rank_correlation(one: dict[str, float], other: dict[str, float]) -> float:
    """Return Spearman's correlation of the common items: 1 for the same order, about 0 for a random one."""
    names = sorted(one.keys() & other.keys())
    if len(names) < 3:
        return 0.0
    places = [{name: place for place, name in enumerate(sorted(names, key=each.__getitem__))} for each in (one, other)]
    squares = sum((places[0][name] - places[1][name]) ** 2 for name in names)
    return 1.0 - 6.0 * squares / (len(names) * (len(names) ** 2 - 1))
