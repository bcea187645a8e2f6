"""All votes at once: the model of Bradley and Terry (1952), with shrunk strengths and some random raters.

Strengths are shrunk to a population. Each vote is replaced by a normal observation of the difference of its two
strengths. It leaves the same mean and variance as the vote itself, given all the other votes (expectation propagation,
Minka 2001). Strengths are posterior means, by conjugate gradients. Deviations follow by messages between neighbours
(Gaussian belief propagation). Neither needs a matrix. The population's spread and the share of honest raters are those
that explain the votes best (empirical Bayes). A voter's honesty follows from votes that are each predicted as if they
were not counted. Each vote counts by the evidence of its voter's other votes.
"""

import math
from dataclasses import dataclass

import numpy as np

from marquee.rating.event_counts import sums
from marquee.rating.glicko import Q
from marquee.rating.reliability import LAPSE, share
from marquee.rating.types import Floats, Integers

ROUNDS_LEAST = 3
ROUNDS_MOST = 100
MESSAGES_MOST = 50
SOLVER_STEPS_MOST = 100
DAMPING = 0.7
"""The part of its change that a vote makes in a round. With all of it, votes would oscillate around the solution."""
SPREAD_STRENGTH = 2.0
"""The known spread counts as so many items in the new estimate."""
HONEST_STRENGTH = 5.0
"""The known share of honest raters counts as so many raters."""
DEVIATION_LEAST = 20.0
DEVIATION_MOST = 1000.0
"""Votes without contradictions would fit better with every wider spread, without limit."""
STEP_POINTS_MAX = 300.0

_HERMITE = np.polynomial.hermite_e.hermegauss(11)
_NODES = (_HERMITE[0].tolist(), (_HERMITE[1] / math.sqrt(2.0 * math.pi)).tolist())


@dataclass(frozen=True, slots=True)
class Ballots:
    """Votes by places: winner and loser among `items` items, the voter among `voters`; weight 1 or 2."""

    winner: Integers
    loser: Integers
    voter: Integers
    weight: Floats
    items: int
    voters: int


@dataclass(frozen=True, slots=True)
class Fit:
    """The result of fitting the votes.

    `mean` and `deviation` are per item, in points. `log_odds` (of the votes alone) and `honest` (with all evidence, 0
    to 1) are per voter. `rounds` is the number of rounds, and `settled` says whether the fit converged.
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
    """Fit strengths to votes, starting with the known spread and share.

    `other_log_odds` is the other evidence of each voter's honesty. Without `with_random` all raters count as honest. It
    takes seconds for a million votes.
    """
    cast = _one_by_one(ballots)
    pairs = _pairs(cast)
    strength: Floats = np.zeros(cast.items)
    known, known_share = prior_deviation, honest_share
    other = np.zeros(cast.voters) if other_log_odds is None else other_log_odds
    log_odds: Floats = np.zeros(cast.voters)
    trust: Floats = np.ones(len(cast.winner))
    said: Floats = np.zeros(len(cast.winner))
    precision, shift = np.full(len(cast.winner), Q**2 / 4.0), np.full(len(cast.winner), Q / 2.0)
    settled, rounds = False, 0
    variance: Floats = np.full(cast.items, prior_deviation**2)
    while rounds < rounds_most and not settled:
        rounds += 1
        before, spread_before = strength, prior_deviation
        of_pair = sums(pairs.of, precision, len(pairs.a))
        solved = _solved(pairs, of_pair, prior_deviation, _shifted(cast, shift), strength)
        strength = before + np.clip(solved - before, -STEP_POINTS_MAX, STEP_POINTS_MAX)
        variance, apart = _variances(pairs, of_pair, prior_deviation)
        left = 1.0 / (1.0 / apart + of_pair)
        without = _without(strength[cast.winner] - strength[cast.loser], left[pairs.of], precision, shift)
        if with_random:
            trust = share((log_odds + other)[cast.voter] - said, honest_share)
        expected, new_precision, new_shift = _observed(*without, trust)
        precision, shift = precision + DAMPING * (new_precision - precision), shift + DAMPING * (new_shift - shift)
        if with_random:
            said = cast.weight * np.log(2.0 * ((1.0 - LAPSE) * expected + LAPSE / 2.0))
            log_odds = sums(cast.voter, said, cast.voters)
            sure = float(share(log_odds + other, honest_share).sum()) + HONEST_STRENGTH * known_share
            honest_share = min(max(sure / (cast.voters + HONEST_STRENGTH), 0.01), 0.99)
        squares = float(np.sum(strength**2 + variance)) + SPREAD_STRENGTH * known**2
        prior_deviation = math.sqrt(squares / (cast.items + SPREAD_STRENGTH))
        prior_deviation = min(max(prior_deviation, DEVIATION_LEAST), DEVIATION_MOST)
        moved = float(np.max(np.abs(strength - before), initial=0.0))
        still = moved < 0.1 and abs(prior_deviation - spread_before) < 3e-4 * prior_deviation
        settled = still and rounds > ROUNDS_LEAST
    honest = share(log_odds + other, honest_share) if with_random else np.ones(cast.voters)
    return Fit(
        prior_mean + strength, np.sqrt(variance), log_odds, honest, prior_deviation, honest_share, rounds, settled
    )


def _one_by_one(ballots: Ballots) -> Ballots:
    """Split super votes into two votes; the weight becomes the share of each in its voter's honesty."""
    twice = np.repeat(np.arange(len(ballots.winner)), np.rint(ballots.weight).astype(np.int64))
    winner, loser, voter = (column[twice] for column in (ballots.winner, ballots.loser, ballots.voter))
    return Ballots(winner, loser, voter, 1.0 / ballots.weight[twice], ballots.items, ballots.voters)


def _shifted(cast: Ballots, shift: Floats) -> Floats:
    return sums(cast.winner, shift, cast.items) - sums(cast.loser, shift, cast.items)


def _pairs(ballots: Ballots) -> _Pairs:
    low, high = np.minimum(ballots.winner, ballots.loser), np.maximum(ballots.winner, ballots.loser)
    codes, of = np.unique(low * ballots.items + high, return_inverse=True)
    return _Pairs(codes // max(ballots.items, 1), codes % max(ballots.items, 1), of.reshape(-1), ballots.items)


def _without(difference: Floats, left: Floats, precision: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of each vote's difference without this vote: `left` is the variance with it."""
    variance = 1.0 / np.maximum(1.0 / left - precision, 1e-3 / left)
    return variance * (difference / left - shift), variance


def _observed(mean: Floats, variance: Floats, honest: Floats) -> tuple[Floats, Floats, Floats]:
    """Return each vote's probability for an honest voter, and precision and shift of the equivalent observation.

    `mean` and `variance` are of the difference, winner minus loser, without the vote. The integrals over them are by
    Gauss and Hermite.
    """
    expected, slope, bend = np.zeros((3, len(mean)))
    deviation = np.sqrt(variance)
    for node, weight in zip(*_NODES, strict=True):
        won = 1.0 / (1.0 + np.exp(-np.clip(Q * (mean + node * deviation), -50.0, 50.0)))
        steep = weight * won * (1.0 - won)
        expected += weight * won
        slope += Q * steep
        bend += Q**2 * steep * (1.0 - 2.0 * won)
    probable = honest * expected + (1.0 - honest) / 2.0
    pull = honest * slope / probable
    curvature = np.clip(pull**2 - honest * bend / probable, 0.0, 0.99 / variance)
    precision = curvature / (1.0 - curvature * variance)
    return expected, precision, precision * mean + pull * (1.0 + precision * variance)


def _solved(pairs: _Pairs, curvature: Floats, deviation: float, target: Floats, x: Floats) -> Floats:
    """Solve (Laplacian of the pairs + 1 / deviation²) x = target by conjugate gradients, starting with `x`."""
    precision = 1.0 / deviation**2
    diagonal = precision + sums(pairs.a, curvature, pairs.items) + sums(pairs.b, curvature, pairs.items)
    rest = target - _image(pairs, curvature, precision, x)
    scaled = rest / diagonal
    direction, size = scaled, float(rest @ scaled)
    enough = 1e-10 * float(target @ (target / diagonal))
    for _ in range(SOLVER_STEPS_MOST):
        if size <= enough:
            break
        image = _image(pairs, curvature, precision, direction)
        length = size / float(direction @ image)
        x, rest = x + length * direction, rest - length * image
        scaled = rest / diagonal
        size, size_before = float(rest @ scaled), size
        direction = scaled + size / size_before * direction
    return x


def _image(pairs: _Pairs, curvature: Floats, precision: float, x: Floats) -> Floats:
    flow = curvature * (x[pairs.a] - x[pairs.b])
    return precision * x + sums(pairs.a, flow, pairs.items) - sums(pairs.b, flow, pairs.items)


def _variances(pairs: _Pairs, curvature: Floats, deviation: float) -> tuple[Floats, Floats]:
    """Return the variance of each item, and of each pair's difference without the votes on that pair.

    The message from b to a through their pair is 1 / (1 / curvature + 1 / (b's precision minus a's message to b)).
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
