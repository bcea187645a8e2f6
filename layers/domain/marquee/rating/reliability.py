"""The reliability of a rater: an honest judge, or one who clicks at random.

Each event is judged once, against the state before its period, so by other raters' events and never by itself. Its
evidence for honesty is a logarithm: how much more probable the event is from an honest rater than from a random one.
These logarithms are added up. The share is the probability of honesty that follows from the sum and from the
organization's share of honest raters.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marquee.rating.event_counts import counts, nothing_added, sums
from marquee.rating.glicko import attenuation, expectation
from marquee.rating.normal import cumulative
from marquee.rating.types import Batch, Floats, Items, Population, VoterAdditions, Voters

LAPSE = 0.02
"""How often an honest rater clicks at random, so that no single event is decisive."""

_LOG_ODDS_MAX = 50.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of a rater for people: a text of one or two sentences, and its figures."""

    text: str
    reliability: float
    votes: int
    agreed: int
    expected_honest: float
    expected_random: float
    sliders: int


def share(log_odds: Floats, honest_share: float) -> Floats:
    """Return the probability that raters are honest, 0 to 1, from their log odds and the share of honest raters."""
    prior = math.log(honest_share / (1.0 - honest_share))
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(prior + log_odds, -_LOG_ODDS_MAX, _LOG_ODDS_MAX))))


def relative(shares: Floats, honest_share: float) -> Floats:
    """Return shares relative to that of a new rater, who has 1, which is also the maximum."""
    return np.minimum(1.0, shares / honest_share)


def before_period(voters: Voters, period: int) -> Voters:
    """Return the voters with their base columns as at the start of that period."""
    begins = voters.period < period
    return replace(
        voters,
        base_log_odds=np.where(begins, voters.log_odds, voters.base_log_odds),
        base_sliders=np.where(begins, voters.sliders, voters.base_sliders),
        base_residual_sum=np.where(begins, voters.residual_sum, voters.base_residual_sum),
        base_residual_square_sum=np.where(begins, voters.residual_square_sum, voters.base_residual_square_sum),
    )


def judged_by_votes(batch: Batch, mean: Floats, deviation: Floats) -> VoterAdditions:
    """Return the votes' additions to their voters, judged by earlier ratings of all of Batch.items, in points.

    If both items have the same rating, no vote can agree; the parity of the event's id replaces a coin.
    """
    length, votes = len(batch.voters.ids), batch.votes
    item, opponent, voter = votes.item[votes.first], votes.opponent[votes.first], votes.voter[votes.first]
    won = votes.score[votes.first] > 0.5
    difference = mean[item] - mean[opponent]
    expected = expectation(difference, attenuation(np.hypot(deviation[item], deviation[opponent])))
    honest = (1.0 - LAPSE) * np.where(won, expected, 1.0 - expected) + LAPSE / 2.0
    tied = difference == 0.0
    agreed = np.where(tied, votes.event_id[votes.first] % 2 == 0, won == (difference > 0.0))
    return replace(
        nothing_added(length),
        votes=counts(voter, length),
        agreed=counts(voter[agreed], length),
        expected=sums(voter, np.maximum(expected, 1.0 - expected), length),
        log_odds=sums(voter, np.log(2.0 * honest), length),
    )


def log_odds_of_sliders(value: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the evidence of sliders for an honest rater (normal within 0 to 100) against a random one (uniform)."""
    spread = np.sqrt(variance)
    within = cumulative((100.0 - mean) / spread) - cumulative(-mean / spread)
    density = np.exp(-0.5 * ((value - mean) / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    likelihood: Floats = np.log((1.0 - LAPSE) * 100.0 * density / np.maximum(within, 1e-3) + LAPSE)
    return likelihood


def mean_of_raters(items: Items) -> Floats:
    """Return the mean reliability of each item's raters when they rated it, 0 to 1; 1 without raters."""
    some = items.reliability_count > 0
    return np.where(some, np.clip(items.reliability_sum / np.maximum(items.reliability_count, 1), 0.0, 1.0), 1.0)


def explain(
    *, votes: int, agreed: int, expected: float, log_odds: float, sliders: int, population: Population
) -> Explanation:
    """Explain a row of rating.voters in plain words."""
    probability = float(share(np.array([log_odds]), population.honest_share)[0])
    judged = (
        f"Voted like the other raters in {agreed} of {votes} votes; "
        f"an honest rater would in about {expected:.0f}, one clicking at random in about {votes / 2:.0f}."
        if votes
        else "Has not voted yet."
    )
    if sliders:
        judged += f" Set {sliders} slider{'s' * (sliders != 1)}."
    if votes + sliders == 0:
        verdict = "Nothing is known, so this rater counts like any new one"
    elif probability >= 0.9:
        verdict = "Very probably rates honestly"
    elif probability >= 0.5:
        verdict = "Probably rates honestly"
    elif probability >= 0.1:
        verdict = "Possibly clicks at random, and counts for less"
    else:
        verdict = "Very probably clicks at random, and counts for next to nothing"
    return Explanation(
        text=f"{verdict} ({100 * probability:.0f} %). {judged}",
        reliability=probability,
        votes=votes,
        agreed=agreed,
        expected_honest=expected,
        expected_random=votes / 2,
        sliders=sliders,
    )
