"""How far a rater is to be trusted: whether an honest judge, or one who clicks at random.

Each event is judged once, against what was known before its period, so by what others said and never by itself. What
it says for honesty is the logarithm of how much more probable it is from an honest rater than from one at random;
these logarithms are added up. The share is the probability of honesty that follows from the sum and from how many
raters of the organization are honest.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from marquee.rating.arrays import Batch, Floats, Items, Population, VoterAdditions, Voters
from marquee.rating.counting import counts, nothing_added, sums
from marquee.rating.glicko import attenuation, expectation
from marquee.rating.normal import cumulative

LAPSE = 0.02
"""An honest rater clicks at random so often, so that no single event settles anything."""

_LOG_ODDS_MAX = 50.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person may read of a rater: a text of one or two sentences, and the figures that it speaks of."""

    text: str
    reliability: float
    votes: int
    agreed: int
    expected_honest: float
    expected_random: float
    sliders: int


def share(log_odds: Floats, honest_share: float) -> Floats:
    """How probably raters are honest, 0 to 1, of the sums of their log odds and the share of honest raters."""
    prior = math.log(honest_share / (1.0 - honest_share))
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(prior + log_odds, -_LOG_ODDS_MAX, _LOG_ODDS_MAX))))


def relative(shares: Floats, honest_share: float) -> Floats:
    """Shares over that of a rater of whom nothing is known, who has 1; nobody has more."""
    return np.minimum(1.0, shares / honest_share)


def before_period(voters: Voters, period: int) -> Voters:
    """The voters with their base columns as they are at the beginning of that period."""
    begins = voters.period < period
    return replace(
        voters,
        base_log_odds=np.where(begins, voters.log_odds, voters.base_log_odds),
        base_sliders=np.where(begins, voters.sliders, voters.base_sliders),
        base_residual_sum=np.where(begins, voters.residual_sum, voters.base_residual_sum),
        base_residual_square_sum=np.where(begins, voters.residual_square_sum, voters.base_residual_square_sum),
    )


def judged_by_votes(batch: Batch, mean: Floats, deviation: Floats) -> VoterAdditions:
    """What the votes add to their voters, judged by ratings from before: of all of Batch.items, in points.

    Where both items are rated alike nothing can be agreed with; the parity of the event's id stands in for a coin.
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
    """What sliders say for an honest rater, whose values are normal within 0 to 100, against any value alike."""
    spread = np.sqrt(variance)
    within = cumulative((100.0 - mean) / spread) - cumulative(-mean / spread)
    density = np.exp(-0.5 * ((value - mean) / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    likelihood: Floats = np.log((1.0 - LAPSE) * 100.0 * density / np.maximum(within, 1e-3) + LAPSE)
    return likelihood


def mean_of_raters(items: Items) -> Floats:
    """The mean reliability of each item's raters when they rated it, 0 to 1; 1 where there were none."""
    some = items.reliability_count > 0
    return np.where(some, np.clip(items.reliability_sum / np.maximum(items.reliability_count, 1), 0.0, 1.0), 1.0)


def explain(
    *, votes: int, agreed: int, expected: float, log_odds: float, sliders: int, population: Population
) -> Explanation:
    """Say in plain words what a row of rating.voters says of its voter."""
    probability = float(share(np.array([log_odds]), population.honest_share)[0])
    judged = (
        f"Agreed with the other raters in {agreed} of {votes} votes; "
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
