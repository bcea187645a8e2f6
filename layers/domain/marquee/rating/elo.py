"""Elo as in the seed data: identical results to the last digit.

Each vote, in the order of the ids, moves a rating by K times the difference between result and expectation. Opponents
count with their ratings before the batch. An item's own rating and a voter's calibration change with every event. See
docs/parts/ratings-models.md.
"""

import math
from dataclasses import replace

import numpy as np

from marquee.rating import event_counts, reliability, score_parts
from marquee.rating.types import Batch, Floats, Items, ModelName, Population, Scores, Settings, VoterAdditions

K = 32.0
SCALE = 400.0
MEAN = 1200.0
DEVIATION = 350.0
DEVIATION_LEAST = 50.0
DEVIATION_MOST = 400.0
DEVIATION_GROWTH = 10.0
DEVIATION_DECAY = 0.98
SLIDER_MEAN = 50.0
SLIDER_DEVIATION = 15.0
SLIDER_DEVIATION_LEAST = 5.0
Z_MOST = 2.5


class Elo:
    """Rate items by Elo, as the seed data does. Implements the interface of marquee.rating.models."""

    name: ModelName = "elo"
    version = "elo-1"

    def initial(self, population: Population) -> tuple[float, float]:  # noqa: ARG002
        """Return 1200 and 350 for every population."""
        return MEAN, DEVIATION

    def update(self, batch: Batch) -> tuple[Items, VoterAdditions]:
        """Count the events one by one in the order of their ids."""
        batch = event_counts.in_order(batch)
        items, voters = event_counts.counted(batch), reliability.before_period(batch.voters, batch.population.period)
        votes, sliders, count = batch.votes, batch.sliders, items.count
        mean, deviation = _voted(batch)
        honest_share = batch.population.honest_share
        trust = reliability.relative(reliability.share(voters.base_log_odds, honest_share), honest_share)
        begins = items.period < batch.population.period
        after = replace(
            items,
            mean=mean,
            deviation=deviation,
            period=np.maximum(items.period, batch.population.period),
            base_mean=np.where(begins, items.mean, items.base_mean),
            base_deviation=np.where(begins, items.deviation, items.base_deviation),
            slider_sum=items.slider_sum + event_counts.sums(sliders.item, _normalised(batch), count),
            slider_weight=items.slider_weight + event_counts.counts(sliders.item, count),
            base_slider_sum=np.where(begins, items.slider_sum, items.base_slider_sum),
            base_slider_weight=np.where(begins, items.slider_weight, items.base_slider_weight),
            fire_weight=items.fire_weight + event_counts.counts(batch.fires.item, count),
            reliability_sum=items.reliability_sum
            + event_counts.sums(votes.item, trust[votes.voter], count)
            + event_counts.sums(sliders.item, trust[sliders.voter], count),
            reliability_count=items.reliability_count
            + event_counts.counts(votes.item, count)
            + event_counts.counts(sliders.item, count),
        )
        return after, _judged(batch)

    def components(self, items: Items, population: Population, settings: Settings) -> Scores:  # noqa: ARG002
        """Return the scores: weighted components times the mean reliability of the raters."""
        rating = np.clip((items.mean - 800.0) / 600.0 * 100.0, 0.0, 100.0)
        rated = items.slider_weight > 0.0
        slider = np.where(rated, items.slider_sum / np.where(rated, items.slider_weight, 1.0), SLIDER_MEAN)
        fire = np.minimum(100.0, np.log1p(items.fire_weight) / math.log(4.0) * 100.0)
        trust = reliability.mean_of_raters(items)
        confidence = (
            0.5 * np.clip((400.0 - items.deviation) / 350.0 * 100.0, 0.0, 100.0)
            + 0.3 * np.minimum(100.0, 10.0 * items.votes)
            + 0.2 * np.minimum(100.0, 20.0 * items.sliders)
        )
        return Scores(
            score=score_parts.weighed(settings, rating, slider, fire) * trust,
            rating_component=rating,
            slider_component=np.clip(slider, 0.0, 100.0),
            fire_component=fire,
            reliability=trust,
            mean=items.mean,
            deviation=items.deviation,
            confidence=confidence,
            provisional=score_parts.provisional(items, confidence),
        )


def voted(mean: float, deviation: float, opponent: float, score: float, weight: float) -> tuple[float, float]:
    """Return a rating after one vote: `score` 1 or 0, `weight` 1 or, for a super vote, 2."""
    expected = 1.0 / (1.0 + 10.0 ** (min(max((opponent - mean) / SCALE, -300.0), 300.0)))
    grown = DEVIATION_DECAY * math.sqrt(deviation**2 + DEVIATION_GROWTH**2)
    return mean + K * weight * (score - expected), min(max(grown, DEVIATION_LEAST), DEVIATION_MOST)


def _voted(batch: Batch) -> tuple[Floats, Floats]:
    """Return the ratings of the batch's own items after its votes, which count one by one.

    It uses Python's floats, so that the result is the same in any batch.
    """
    votes, items = batch.votes, batch.items
    means: list[float] = items.mean[: items.count].tolist()
    deviations: list[float] = items.deviation[: items.count].tolist()
    rows = (votes.item, items.mean[votes.opponent], votes.score, votes.weight)
    for item, opponent, score, weight in zip(*(row.tolist() for row in rows), strict=True):
        means[item], deviations[item] = voted(means[item], deviations[item], opponent, score, weight)
    return np.array(means, dtype=np.float64), np.array(deviations, dtype=np.float64)


def _normalised(batch: Batch) -> Floats:
    """Return each slider normalized by its voter's calibration before it, 0 to 100."""
    voters, sliders = batch.voters, batch.sliders
    n, total, squares = (
        column.astype(np.float64).tolist() for column in (voters.sliders, voters.slider_sum, voters.slider_square_sum)
    )
    read = np.empty(len(sliders.value))
    for at, (voter, value) in enumerate(zip(sliders.voter.tolist(), sliders.value.tolist(), strict=True)):
        read[at] = normalised(value, n[voter], total[voter], squares[voter])
        n[voter] += 1.0
        total[voter] += value - SLIDER_MEAN
        squares[voter] += (value - SLIDER_MEAN) ** 2
    return read


def normalised(value: float, n: float, total: float, squares: float) -> float:
    """Normalize a slider by its voter's earlier ones: their number, sum and sum of squares, both of value - 50."""
    mean, deviation = SLIDER_MEAN, SLIDER_DEVIATION
    if n > 0:
        mean = SLIDER_MEAN + total / n
        variance = max(0.0, squares - total**2 / n) / (n - 1.0) if n > 1 else 0.0
        deviation = max(SLIDER_DEVIATION_LEAST, math.sqrt(variance))
    z = min(max((value - mean) / deviation, -Z_MOST), Z_MOST)
    return (z + Z_MOST) / (2.0 * Z_MOST) * 100.0


def _judged(batch: Batch) -> VoterAdditions:
    length, sliders = len(batch.voters.ids), batch.sliders
    moved = sliders.value - SLIDER_MEAN
    return replace(
        reliability.judged_by_votes(batch, batch.items.mean, batch.items.deviation),
        sliders=event_counts.counts(sliders.voter, length),
        slider_sum=event_counts.sums(sliders.voter, moved, length),
        slider_square_sum=event_counts.sums(sliders.voter, moved**2, length),
        fires=event_counts.counts(batch.fires.voter, length),
    )
