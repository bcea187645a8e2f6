"""The rating models that are compared. Each one turns votes into points, deviations and predictions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from openskill.models import BradleyTerryFull

from bench.ratings.simulation import POINTS
from bench.ratings.world import Events, World
from marquee.rating import bradley_terry
from marquee.rating.glicko import attenuation
from marquee.rating.types import Floats, Integers

BATCH_VOTES = 250
GRID = np.geomspace(50.0, 400.0, 16)


@dataclass(frozen=True, slots=True)
class Rated:
    """Strengths in points, their deviations, and the rule that turns a difference into a probability."""

    mean: Floats
    deviation: Floats
    certain: bool = False

    def predicts(self, a: Integers, b: Integers) -> Floats:
        """Return the probability that a wins. A `certain` model ignores its deviations, as its rule does."""
        g = np.ones(len(a)) if self.certain else attenuation(np.hypot(self.deviation[a], self.deviation[b]))
        return np.asarray(1.0 / (1.0 + np.exp(-POINTS * g * (self.mean[a] - self.mean[b]))))


Contender = Callable[[Events, int, int], Rated]
"""Rates items, given the votes, the number of items and the number of raters."""


def elo(events: Events, items: int, raters: int) -> Rated:
    """Rate by the Elo model, in batches."""
    world = World("elo", items, raters)
    _run(world, events)
    return Rated(world.items.mean, world.items.deviation, certain=True)


def bayes_online(events: Events, items: int, raters: int) -> Rated:
    """Rate by the Bayes model, period by period from the defaults, without nightly calibration."""
    world = World("bayes", items, raters)
    _run(world, events)
    return Rated(world.items.mean, world.items.deviation)


def bayes_by_day(events: Events, items: int, raters: int) -> Rated:
    """Rate by the Bayes model, with one calibration after three quarters of the votes."""
    world, night = World("bayes", items, raters), 3 * len(events.vote_id) // 4
    _run(world, events.votes_at(np.arange(night)))
    _sleep(world, events.votes_at(np.arange(night)))
    _run(world, events.votes_at(np.arange(night, len(events.vote_id))))
    return Rated(world.items.mean, world.items.deviation)


def bayes(events: Events, items: int, raters: int) -> Rated:
    """Rate by the Bayes model, with a calibration after all votes, as it is every morning."""
    world = World("bayes", items, raters)
    _run(world, events)
    _sleep(world, events)
    return Rated(world.items.mean, world.items.deviation)


def bradley_terry_map(events: Events, items: int, raters: int) -> Rated:  # noqa: ARG001
    """Rate by the usual Bradley-Terry model: honest raters, dense matrices, the spread by Laplace's evidence.

    It shares no code with the fit of marquee.rating.
    """
    won, lost = np.where(events.a_won, events.a, events.b), np.where(events.a_won, events.b, events.a)
    best, found = -np.inf, None
    strength: Floats = np.zeros(items)
    for spread in GRID:
        for _ in range(8):
            expected = 1.0 / (1.0 + np.exp(-POINTS * (strength[won] - strength[lost])))
            curvature = POINTS**2 * expected * (1.0 - expected)
            matrix = np.eye(items) / spread**2
            for a, b, sign in ((won, won, 1.0), (lost, lost, 1.0), (won, lost, -1.0), (lost, won, -1.0)):
                np.add.at(matrix, (a, b), sign * curvature)
            pull = POINTS * (1.0 - expected)
            gradient = np.bincount(won, pull, items) - np.bincount(lost, pull, items) - strength / spread**2
            step = np.linalg.solve(matrix, gradient)
            strength = strength + step
            if np.abs(step).max() < 0.1:
                break
        likelihood = np.log(1.0 / (1.0 + np.exp(-POINTS * (strength[won] - strength[lost])))).sum()
        evidence = likelihood - 0.5 * (strength @ strength) / spread**2
        evidence -= 0.5 * np.linalg.slogdet(matrix * spread**2)[1]
        if evidence > best:
            best, found = evidence, Rated(strength, np.sqrt(np.diag(np.linalg.inv(matrix))))
    assert found is not None
    return found


def openskill(events: Events, items: int, raters: int) -> Rated:  # noqa: ARG001
    """Rate by the Bradley-Terry model of openskill, vote by vote, on the logistic scale that fits the votes best."""
    model = BradleyTerryFull()
    ratings = [model.rating() for _ in range(items)]
    for a, b, won in zip(events.a.tolist(), events.b.tolist(), events.a_won.tolist(), strict=True):
        ranks = [0.0, 1.0] if won else [1.0, 0.0]
        (ratings[a],), (ratings[b],) = model.rate([[ratings[a]], [ratings[b]]], ranks=ranks)
    mean, deviation = np.array([each.mu for each in ratings]), np.array([each.sigma for each in ratings])
    scale = _logistic_scale((mean[events.a] - mean[events.b]), events.a_won.astype(float)) / POINTS
    return Rated(scale * mean, scale * deviation, certain=True)


CONTENDERS: dict[str, Contender] = {
    "elo": elo,
    "bayes": bayes,
    "bayes_by_day": bayes_by_day,
    "bayes_online": bayes_online,
    "bradley_terry": bradley_terry_map,
    "openskill": openskill,
}


def _run(world: World, events: Events) -> None:
    for start in range(0, len(events.vote_id), BATCH_VOTES):
        world.begin_period()
        world.count(events.votes_at(np.arange(start, min(start + BATCH_VOTES, len(events.vote_id)))))


def _sleep(world: World, events: Events) -> None:
    """Apply the nightly calibration to the votes so far."""
    won, lost = np.where(events.a_won, events.a, events.b), np.where(events.a_won, events.b, events.a)
    items, raters = len(world.items.ids), len(world.voters.ids)
    fit = bradley_terry.fit(bradley_terry.Ballots(won, lost, events.voter, events.weight, items, raters))
    world.items = replace(world.items, mean=fit.mean, deviation=fit.deviation)
    world.voters = replace(world.voters, log_odds=fit.log_odds)
    world.population = replace(world.population, prior_deviation=fit.prior_deviation, honest_share=fit.honest_share)


def _logistic_scale(difference: Floats, won: Floats) -> float:
    """Return the most probable factor that turns differences into logarithms of odds."""
    factor = 0.1
    for _ in range(30):
        expected = 1.0 / (1.0 + np.exp(-factor * difference))
        factor += float((difference @ (won - expected)) / (difference**2 @ (expected * (1.0 - expected))))
    return factor
