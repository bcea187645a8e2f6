"""Estimates of an organization's items and raters as a whole, for rating.populations, renewed each night.

The data of a small organization is weak, so each estimate is shrunk to the column's default as if by a few typical
items or raters.
"""

from dataclasses import dataclass

import numpy as np

from marquee.rating import reliability
from marquee.rating.event_counts import sums
from marquee.rating.types import Floats, Integers, Population

ROUNDS_MAX = 200
ROUNDS_TOLERANCE = 1e-4
DEFAULT_STRENGTH = 10.0
"""The weight of a default: it counts as this many items, raters, or items with fires."""

DEVIATION_MIN, DEVIATION_MAX = 1.0, 50.0
FIRES_HALF_MIN = 1.0

_DEFAULTS = Population()


@dataclass(frozen=True, slots=True)
class Readings:
    """Sliders: their item and voter (places from 0), their values (0 to 100), and the trust in each."""

    item: Integers
    voter: Integers
    value: Floats
    trust: Floats
    items: int
    voters: int


@dataclass(frozen=True, slots=True)
class Scale:
    """The result of scale_of, in points of the slider scale. `item` and `rater` are the shifts of each one."""

    mean: float
    item_deviation: float
    rater_deviation: float
    noise_deviation: float
    item: Floats
    rater: Floats


def scale_of(readings: Readings) -> Scale:
    """Estimate how much each item and each rater shifts the values of sliders, and how much they vary.

    The model is value = mean + item + rater + noise; the last three are normally distributed. Expectation maximization
    fits it, with items and raters estimated as if independent (a mean-field approximation). Without sliders it returns
    the defaults.
    """
    item, voter, value, trust = readings.item, readings.voter, readings.value, readings.trust
    weight_of_items = sums(item, trust, readings.items)
    weight_of_raters = sums(voter, trust, readings.voters)
    rated, rating = weight_of_items > 0.0, weight_of_raters > 0.0
    of_items: Floats = np.zeros(readings.items)
    of_raters: Floats = np.zeros(readings.voters)
    mean = _DEFAULTS.slider_mean
    items, raters, noise = (
        _DEFAULTS.slider_deviation**2,
        _DEFAULTS.rater_deviation**2,
        _DEFAULTS.noise_deviation**2,
    )
    total = float(trust.sum())
    for _round in range(ROUNDS_MAX):
        before = np.array([mean, items, raters, noise])
        left_of_items = noise / (weight_of_items + noise / items)
        of_items = left_of_items / noise * sums(item, trust * (value - mean - of_raters[voter]), readings.items)
        left_of_raters = noise / (weight_of_raters + noise / raters)
        of_raters = left_of_raters / noise * sums(voter, trust * (value - mean - of_items[item]), readings.voters)
        rest = value - of_items[item] - of_raters[voter]
        mean = _drawn(float((trust * rest).sum()), total, _DEFAULTS.slider_mean)
        items = _drawn(float((of_items**2 + left_of_items)[rated].sum()), rated.sum(), _DEFAULTS.slider_deviation**2)
        raters = _drawn(
            float((of_raters**2 + left_of_raters)[rating].sum()), rating.sum(), _DEFAULTS.rater_deviation**2
        )
        scatter = (rest - mean) ** 2 + left_of_items[item] + left_of_raters[voter]
        noise = _drawn(float((trust * scatter).sum()), total, _DEFAULTS.noise_deviation**2)
        if np.abs(np.array([mean, items, raters, noise]) - before).max() < ROUNDS_TOLERANCE:
            break
    return Scale(
        mean=float(np.clip(mean, 0.0, 100.0)),
        item_deviation=_deviation(items),
        rater_deviation=_deviation(raters),
        noise_deviation=_deviation(noise),
        item=of_items,
        rater=of_raters,
    )


def log_odds_of_readings(readings: Readings, scale: Scale) -> Floats:
    """Return the evidence of each voter's sliders for an honest rater against a random one, each judged without itself.

    It is by voter, as logarithms, which are added to those of the votes in marquee.rating.reliability.
    """
    item, voter, noise = readings.item, readings.voter, scale.noise_deviation**2
    habit = scale.rater[voter]
    others = sums(item, readings.trust * (readings.value - habit), readings.items)[item]
    others_weight = sums(item, readings.trust, readings.items)[item] - readings.trust
    others = others - readings.trust * (readings.value - habit)
    strength = noise / scale.item_deviation**2
    expected = (others + strength * scale.mean) / (others_weight + strength)
    left = noise / (others_weight + strength)
    habits_left = noise / (sums(voter, readings.trust, readings.voters) + noise / scale.rater_deviation**2)
    each = reliability.log_odds_of_sliders(readings.value, expected + habit, noise + left + habits_left[voter])
    return sums(voter, each, readings.voters)


def fires_half_of(fires: Floats) -> float:
    """Return the number of fires that makes half of the fire component: the median of the items that have any."""
    lit = fires[fires > 0.0]
    if not len(lit):
        return _DEFAULTS.fires_half
    return max(FIRES_HALF_MIN, _drawn(float(np.median(lit)) * len(lit), len(lit), _DEFAULTS.fires_half))


def _drawn(total: float, number: float, default: float) -> float:
    """Return a mean, shrunk to the default."""
    return float((total + DEFAULT_STRENGTH * default) / (number + DEFAULT_STRENGTH))


def _deviation(variance: float) -> float:
    return float(np.clip(np.sqrt(variance), DEVIATION_MIN, DEVIATION_MAX))
