"""Glicko's arithmetic of one rating period (Glickman 1995, 1999), with voters who may click at random."""

import math

import numpy as np

from marquee.rating.types import Floats

Q = math.log(10) / 400
"""Factor from rating points to natural logarithms of odds."""

STEP_DEVIATIONS_MAX = 3.0
"""A period moves a rating by at most so many of its deviations, because one step of Newton's overshoots far out."""

_LOG_ODDS_MAX = 30.0


def attenuation(deviation: Floats) -> Floats:
    """Return Glicko's g: the factor by which a deviation (in points) flattens an expectation. From above 0 to 1."""
    return np.asarray(1.0 / np.sqrt(1.0 + 3.0 * Q**2 * deviation**2 / math.pi**2))


def expectation(difference: Floats, g: Floats) -> Floats:
    """Return the probability that the item wins which is `difference` points better; never exactly 0 or 1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(g * Q * difference, -_LOG_ODDS_MAX, _LOG_ODDS_MAX))))


def evidence(
    difference: Floats, opponent_deviation: Floats, score: Floats, honest: Floats | float = 1.0
) -> tuple[Floats, Floats]:
    """Return each vote's addition to an item's score sum and information sum.

    `honest` is the probability that the voter judges at all instead of tossing a coin. E is the expectation of a voter
    who judges, and M = honest · E + (1 - honest) / 2 that of this voter. The score sum is the derivative of the log
    likelihood, g · honest · E(1 - E) / (M(1 - M)) · (score - M). The information sum is g² · (honest · E(1 - E))² /
    (M(1 - M)). With honest = 1 they are Glicko's own g(score - E) and g²E(1 - E).
    """
    g = attenuation(opponent_deviation)
    expected = expectation(difference, g)
    mixed = honest * expected + (1.0 - honest) / 2.0
    slope = honest * (expected * (1.0 - expected)) / (mixed * (1.0 - mixed))
    return g * slope * (score - mixed), g**2 * slope * honest * expected * (1.0 - expected)


def after_period(mean: Floats, deviation: Floats, score_sum: Floats, information_sum: Floats) -> tuple[Floats, Floats]:
    """Return mean and deviation after a period, from those before it and its sums."""
    precision = 1.0 / deviation**2 + Q**2 * information_sum
    most = STEP_DEVIATIONS_MAX * deviation
    return mean + np.clip(Q * score_sum / precision, -most, most), 1.0 / np.sqrt(precision)
