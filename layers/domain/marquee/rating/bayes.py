"""bayes: ratings by periods after Glicko, sliders by item and rater, all weighted by reliability.

All events of a period count against the state before it, so that they are plain sums. Their order, their division into
batches, and the worker make no difference. See docs/parts/ratings-models.md.
"""

from dataclasses import dataclass, replace

import numpy as np

from marquee.rating import event_counts, glicko, reliability, score_parts
from marquee.rating.normal import cumulative
from marquee.rating.types import (
    Batch,
    Floats,
    Items,
    ModelName,
    Population,
    Scores,
    Settings,
    VoterAdditions,
    Voters,
)

NOISE_STRENGTH = 10.0
"""A rater's own noise is shrunk to that of all raters as if by so many sliders."""


class Bayes:
    """The default model behind the interface of marquee.rating.models."""

    name: ModelName = "bayes"
    version = "bayes-1"

    def initial(self, population: Population) -> tuple[float, float]:
        """Return the population's mean and spread."""
        return population.prior_mean, population.prior_deviation

    def update(self, batch: Batch) -> tuple[Items, VoterAdditions]:
        """Add the events' sums to the period's, and rate anew from the ratings before it."""
        batch = event_counts.in_order(batch)
        before = before_period(batch.items, batch.population.period)
        voters = reliability.before_period(batch.voters, batch.population.period)
        honest_share = batch.population.honest_share
        honest = reliability.share(voters.base_log_odds, honest_share)
        trust = reliability.relative(honest, honest_share)
        sliders = _read(batch, before, voters)
        items = _voted(replace(batch, items=before), honest)
        items = _rated(replace(batch, items=items), sliders, trust)
        return items, _judged(batch, before, sliders)

    def components(self, items: Items, population: Population, settings: Settings) -> Scores:
        """Return each component as the share of the population that the item surpasses, its uncertainty included."""
        variance, slider_variance = population.prior_deviation**2, population.slider_deviation**2
        away = (items.mean - population.prior_mean) / np.sqrt(variance + items.deviation**2)
        slider_mean, slider_left = expected_slider(items.slider_sum, items.slider_weight, population)
        slider_away = (slider_mean - population.slider_mean) / np.sqrt(slider_variance + slider_left)
        rating, slider = 100.0 * cumulative(away), 100.0 * cumulative(slider_away)
        fire = 100.0 * items.fire_weight / (items.fire_weight + population.fires_half)
        known = settings.rating_weight * np.maximum(0.0, 1.0 - items.deviation**2 / variance)
        known = known + settings.slider_weight * np.maximum(0.0, 1.0 - slider_left / slider_variance)
        most = settings.rating_weight + settings.slider_weight
        confidence = 100.0 * known / most if most > 0.0 else np.full(len(items.mean), 100.0)
        return Scores(
            score=score_parts.weighed(settings, rating, slider, fire),
            rating_component=rating,
            slider_component=slider,
            fire_component=fire,
            reliability=reliability.mean_of_raters(items),
            mean=items.mean,
            deviation=items.deviation,
            confidence=np.clip(confidence, 0.0, 100.0),
            provisional=score_parts.provisional(items, confidence),
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """Per slider of the batch: its value minus its rater's habit, its weight, and its evidence about its rater."""

    value: Floats
    weight: Floats
    residual: Floats
    log_odds: Floats


def before_period(items: Items, period: int) -> Items:
    """Return all items with base columns as at the start of that period, and sums of zero if it starts for them."""
    begins = items.period < period
    return replace(
        items,
        period=np.maximum(items.period, period),
        base_mean=np.where(begins, items.mean, items.base_mean),
        base_deviation=np.where(begins, items.deviation, items.base_deviation),
        base_slider_sum=np.where(begins, items.slider_sum, items.base_slider_sum),
        base_slider_weight=np.where(begins, items.slider_weight, items.base_slider_weight),
        score_sum=np.where(begins, 0.0, items.score_sum),
        information_sum=np.where(begins, 0.0, items.information_sum),
    )


def expected_slider(total: Floats, weight: Floats, population: Population) -> tuple[Floats, Floats]:
    """Return the expected slider of items and its variance, from weighted sums, shrunk to the population's mean."""
    noise = population.noise_deviation**2
    strength = noise / population.slider_deviation**2
    return (total + strength * population.slider_mean) / (weight + strength), noise / (weight + strength)


def rater_habit(voters: Voters, population: Population) -> tuple[Floats, Floats, Floats]:
    """Return the offset of raters' sliders, the variance of that estimate, and the variance of their noise.

    They are computed from the base columns; all three are shrunk to the population's.
    """
    noise = population.noise_deviation**2
    n = voters.base_sliders.astype(np.float64)
    strength = noise / population.rater_deviation**2
    scatter = np.maximum(0.0, voters.base_residual_square_sum - voters.base_residual_sum**2 / np.maximum(n, 1.0))
    own_noise = (NOISE_STRENGTH * noise + scatter) / (NOISE_STRENGTH + np.maximum(n - 1.0, 0.0))
    return voters.base_residual_sum / (n + strength), noise / (n + strength), own_noise


def _voted(batch: Batch, honest: Floats) -> Items:
    """Return the batch's own rows with its votes in the period's sums, and the resulting ratings."""
    votes, items = batch.votes, event_counts.counted(batch)
    score, information = glicko.evidence(
        batch.items.base_mean[votes.item] - batch.items.base_mean[votes.opponent],
        batch.items.base_deviation[votes.opponent],
        votes.score,
        honest[votes.voter],
    )
    score_sum = items.score_sum + event_counts.sums(votes.item, votes.weight * score, items.count)
    information_sum = items.information_sum + event_counts.sums(votes.item, votes.weight * information, items.count)
    mean, deviation = glicko.after_period(items.base_mean, items.base_deviation, score_sum, information_sum)
    return replace(items, mean=mean, deviation=deviation, score_sum=score_sum, information_sum=information_sum)


def _rated(batch: Batch, read: _Reading, trust: Floats) -> Items:
    """Add sliders and fires to those rows, weighted by the trust in their raters."""
    items, votes, sliders, fires = batch.items, batch.votes, batch.sliders, batch.fires
    count, weight = items.count, read.weight * trust[sliders.voter]
    return replace(
        items,
        slider_sum=items.slider_sum + event_counts.sums(sliders.item, weight * read.value, count),
        slider_weight=items.slider_weight + event_counts.sums(sliders.item, weight, count),
        fire_weight=items.fire_weight + event_counts.sums(fires.item, trust[fires.voter], count),
        reliability_sum=items.reliability_sum
        + event_counts.sums(votes.item, trust[votes.voter], count)
        + event_counts.sums(sliders.item, trust[sliders.voter], count),
        reliability_count=items.reliability_count
        + event_counts.counts(votes.item, count)
        + event_counts.counts(sliders.item, count),
    )


def _read(batch: Batch, before: Items, voters: Voters) -> _Reading:
    """Return the batch's sliders, judged by the state of their items and raters before the period.

    A residual is scaled to the rater's own noise: it is smaller for an item with less data.
    """
    sliders, population = batch.sliders, batch.population
    noise = population.noise_deviation**2
    mean, left = expected_slider(before.base_slider_sum, before.base_slider_weight, population)
    habit, habit_left, own_noise = rater_habit(voters, population)
    mean, left, habit = mean[sliders.item], left[sliders.item], habit[sliders.voter]
    habit_left, own_noise = habit_left[sliders.voter], own_noise[sliders.voter]
    return _Reading(
        value=sliders.value - habit,
        weight=noise / (own_noise + habit_left),
        residual=(sliders.value - mean) * np.sqrt(noise / (noise + left)),
        log_odds=reliability.log_odds_of_sliders(sliders.value, mean + habit, noise + habit_left + left),
    )


def _judged(batch: Batch, before: Items, read: _Reading) -> VoterAdditions:
    """Return the evidence of the batch's events about their voters."""
    length, sliders = len(batch.voters.ids), batch.sliders
    by_votes = reliability.judged_by_votes(batch, before.base_mean, before.base_deviation)
    moved = sliders.value - 50.0
    return replace(
        by_votes,
        log_odds=by_votes.log_odds + event_counts.sums(sliders.voter, read.log_odds, length),
        sliders=event_counts.counts(sliders.voter, length),
        slider_sum=event_counts.sums(sliders.voter, moved, length),
        slider_square_sum=event_counts.sums(sliders.voter, moved**2, length),
        residual_sum=event_counts.sums(sliders.voter, read.residual, length),
        residual_square_sum=event_counts.sums(sliders.voter, read.residual**2, length),
        fires=event_counts.counts(batch.fires.voter, length),
    )
