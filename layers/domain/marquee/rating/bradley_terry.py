"""All votes at once: Bradley and Terry's model (1952), its strengths drawn to a population, some raters at random.

Strengths are posterior means: Newton's steps with expectations averaged over what is left open. The population's spread
and the share of honest raters are those that explain the votes best (empirical Bayes). Who is honest follows from votes
each of which is predicted as if it had not been counted, and each vote counts by what its voter's other votes say: an
expectation-maximization over all of these. Deviations are from the curvature, by messages between neighbours (Gaussian
belief propagation), which needs no matrix.
"""

import math
from dataclasses import dataclass

import numpy as np

from marquee.rating.arrays import Floats, Integers
from marquee.rating.counting import sums
from marquee.rating.glicko import Q, attenuation, expectation
from marquee.rating.reliability import LAPSE, share

ROUNDS_MOST = 60
MESSAGES_MOST = 50
SOLVER_STEPS_MOST = 100
STEP_POINTS_MAX = 300.0
SPREAD_STRENGTH = 2.0
"""The spread that was known counts as so many items when it is estimated anew."""
HONEST_STRENGTH = 5.0
"""The share of honest raters that was known counts as so many raters."""
DEVIATION_LEAST = 20.0


@dataclass(frozen=True, slots=True)
class Ballots:
    """Votes by places: of winner and loser among `items` items, of the voter among `voters`; weight 1 or 2."""

    winner: Integers
    loser: Integers
    voter: Integers
    weight: Floats
    items: int
    voters: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What the votes come to.

    `mean` and `deviation` are per item, in points; `log_odds` (of the votes alone) and `honest` (all told, 0 to 1) per
    voter; `rounds` says how many it took, and `settled` whether it had come to rest by then.
    """

    mean: Floats
    deviation: Floats
    log_odds: Floats
    honest: Floats
    prior_deviation: float
    honest_share: float
    rounds: int
    settled: bool


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Each pair of items that met, once; `of` is the pair of each vote."""

    a: Integers
    b: Integers
    of: Integers
    items: int


def fit(
    ballots: Ballots,
    *,
    prior_mean: float = 1500.0,
    prior_deviation: float = 350.0,
    honest_share: float = 0.9,
    other_log_odds: Floats | None = None,
    with_random: bool = True,
    rounds_most: int = ROUNDS_MOST,
) -> Fit:
    """Fit strengths to votes, beginning with the spread and the share that were known.

    `other_log_odds` is what else is known of each voter's honesty. Without `with_random` everybody is taken for honest.
    Takes seconds for a million votes.
    """
    pairs, strength = _pairs(ballots), np.zeros(ballots.items)
    known, known_share = prior_deviation, honest_share
    other = np.zeros(ballots.voters) if other_log_odds is None else other_log_odds
    said = np.zeros(len(ballots.winner))
    log_odds = np.zeros(ballots.voters)
    variance = np.full(ballots.items, prior_deviation**2)
    spread = np.full(len(pairs.a), 2.0 * prior_deviation**2)
    settled, rounds = False, 0
    while rounds < rounds_most and not settled:
        rounds += 1
        before, spread_before = strength, prior_deviation
        others = (log_odds + other)[ballots.voter] - said
        trust = share(others, honest_share) if with_random else np.ones(len(said))
        pulls = _pulls(ballots, strength, trust, spread[pairs.of])
        strength, curvature = _newton(ballots, pairs, strength, pulls, prior_deviation)
        variance, apart = _variances(pairs, curvature, prior_deviation)
        spread = apart / (1.0 + curvature * apart)
        squares = float(np.sum(strength**2 + variance)) + SPREAD_STRENGTH * known**2
        prior_deviation = max(DEVIATION_LEAST, math.sqrt(squares / (ballots.items + SPREAD_STRENGTH)))
        if with_random:
            pull = _pulls(ballots, strength, trust, spread[pairs.of])[0]
            said = _log_odds(ballots, strength, pull, apart[pairs.of])
            log_odds = sums(ballots.voter, said, ballots.voters)
            sure = float(share(log_odds + other, honest_share).sum()) + HONEST_STRENGTH * known_share
            honest_share = min(max(sure / (ballots.voters + HONEST_STRENGTH), 0.01), 0.99)
        moved = float(np.max(np.abs(strength - before), initial=0.0))
        settled = moved < 0.1 and abs(prior_deviation - spread_before) < 1e-3 * prior_deviation
    honest = share(log_odds + other, honest_share) if with_random else np.ones(ballots.voters)
    return Fit(
        prior_mean + strength, np.sqrt(variance), log_odds, honest, prior_deviation, honest_share, rounds, settled
    )


def _pairs(ballots: Ballots) -> _Pairs:
    low, high = np.minimum(ballots.winner, ballots.loser), np.maximum(ballots.winner, ballots.loser)
    codes, of = np.unique(low * ballots.items + high, return_inverse=True)
    return _Pairs(codes // max(ballots.items, 1), codes % max(ballots.items, 1), of.reshape(-1), ballots.items)


def _pulls(ballots: Ballots, strength: Floats, honest: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """How hard each vote pulls its winner up (per point), and its curvature (per point squared).

    The expectation is averaged over the `spread` (a variance) in which the difference may lie, which keeps the spread
    of the population from being underestimated; `honest` is how probably the voter of each vote is.
    """
    g = attenuation(np.sqrt(spread))
    expected = expectation(strength[ballots.winner] - strength[ballots.loser], g)
    mixed = honest * expected + (1.0 - honest) / 2.0
    slope = honest * (expected * (1.0 - expected)) / (mixed * (1.0 - mixed))
    curvature = Q**2 * ballots.weight * g * slope * honest * expected * (1.0 - expected)
    return Q * ballots.weight * slope * (1.0 - mixed), curvature


def _newton(
    ballots: Ballots, pairs: _Pairs, strength: Floats, pulls: tuple[Floats, Floats], deviation: float
) -> tuple[Floats, Floats]:
    """One step towards the posterior mean of the strengths, and the curvature of each pair (per point squared)."""
    pull = pulls[0]
    gradient = sums(ballots.winner, pull, ballots.items) - sums(ballots.loser, pull, ballots.items)
    curvature = sums(pairs.of, pulls[1], len(pairs.a))
    step = _solved(pairs, curvature, 1.0 / deviation**2, gradient - strength / deviation**2)
    return strength + np.clip(step, -STEP_POINTS_MAX, STEP_POINTS_MAX), curvature


def _solved(pairs: _Pairs, curvature: Floats, precision: float, target: Floats) -> Floats:
    """Solve (Laplacian of the pairs + precision) x = target by conjugate gradients, scaled by the diagonal."""
    diagonal = precision + sums(pairs.a, curvature, pairs.items) + sums(pairs.b, curvature, pairs.items)
    x, rest = np.zeros_like(target), target.copy()
    scaled = rest / diagonal
    direction, size = scaled, float(rest @ scaled)
    enough = 1e-10 * size
    for _ in range(SOLVER_STEPS_MOST):
        if size <= enough:
            break
        flow = curvature * (direction[pairs.a] - direction[pairs.b])
        image = precision * direction + sums(pairs.a, flow, pairs.items) - sums(pairs.b, flow, pairs.items)
        length = size / float(direction @ image)
        x, rest = x + length * direction, rest - length * image
        scaled = rest / diagonal
        size, size_before = float(rest @ scaled), size
        direction = scaled + size / size_before * direction
    return x


def _variances(pairs: _Pairs, curvature: Floats, deviation: float) -> tuple[Floats, Floats]:
    """The variance of each item, and of each pair's difference as it were without the votes on that pair.

    What b tells a of itself through their pair is 1 / (1 / curvature + 1 / (b's precision less what a told b)).
    """
    to_a, to_b, own = np.zeros_like(curvature), np.zeros_like(curvature), 1.0 / deviation**2
    for _ in range(MESSAGES_MOST):
        precision = own + sums(pairs.a, to_a, pairs.items) + sums(pairs.b, to_b, pairs.items)
        rest_a, rest_b = precision[pairs.a] - to_a, precision[pairs.b] - to_b
        new_a, new_b = curvature * rest_b / (curvature + rest_b), curvature * rest_a / (curvature + rest_a)
        change = max(np.max(np.abs(new_a - to_a), initial=0.0), np.max(np.abs(new_b - to_b), initial=0.0))
        to_a, to_b = new_a, new_b
        if change <= 1e-6 * own:
            break
    precision = own + sums(pairs.a, to_a, pairs.items) + sums(pairs.b, to_b, pairs.items)
    return 1.0 / precision, 1.0 / (precision[pairs.a] - to_a) + 1.0 / (precision[pairs.b] - to_b)


def _log_odds(ballots: Ballots, strength: Floats, pull: Floats, apart: Floats) -> Floats:
    """What each vote says for its voter's honesty, predicted as if it had not been counted.

    Its own share in the difference is taken out again: variance of the difference without it times its pull.
    """
    difference = strength[ballots.winner] - strength[ballots.loser] - apart * pull
    expected = expectation(difference, attenuation(np.sqrt(apart)))
    return np.log(2.0 * ((1.0 - LAPSE) * expected + LAPSE / 2.0))
