"""The fit of all votes at once: strengths, spreads, deviations and honest raters."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.simulation import play
from bench.ratings.world import Events
from marquee.rating import bradley_terry
from marquee.rating.bradley_terry import Ballots, fit
from marquee.rating.glicko import Q

pytestmark = pytest.mark.usefixtures("sockets_off")


def ballots(said: Events, items: int, voters: int) -> Ballots:
    return Ballots(
        np.where(said.a_won, said.a, said.b),
        np.where(said.a_won, said.b, said.a),
        said.voter,
        said.weight,
        items,
        voters,
    )


def fit_of_pair(wins: int, losses: int, **known) -> bradley_terry.Fit:
    """Fit two items, of which the first won that often, with voters who each voted once."""
    winner = np.repeat([0, 1], [wins, losses])
    votes = wins + losses
    cast = Ballots(winner, 1 - winner, np.arange(votes), np.ones(votes), 2, votes)
    return fit(cast, with_random=False, **known)


def test_difference_of_a_pair_is_the_logarithm_of_its_odds():
    """With many votes and a wide spread the prior hardly matters: odds of 3 to 1 are 400 · log10(3) points."""
    found = fit_of_pair(30_000, 10_000, prior_deviation=2000)

    assert found.mean[0] - found.mean[1] == pytest.approx(400 * np.log10(3), abs=0.5)
    assert found.mean.sum() == pytest.approx(3000)


def test_item_that_won_every_vote_shrinks_to_the_others():
    found = fit_of_pair(3, 0, prior_deviation=200)

    assert 20 < found.mean[0] - found.mean[1] < 400
    assert found.settled


@pytest.mark.parametrize("spread", [200.0, 1000.0])
def test_variances_match_the_inverse_of_the_curvature(spread):
    """Votes carry no information about the common mean, so variances are taken around it."""
    tournament = play(2, items=300)
    pairs = bradley_terry._pairs(ballots(tournament.events, 300, 200))
    curvature = np.random.default_rng(1).uniform(0.1, 0.3, len(pairs.a)) * Q**2
    matrix = np.zeros((300, 300))
    np.add.at(matrix, (pairs.a, pairs.b), -curvature)
    matrix += matrix.T
    matrix += np.diag(1 / spread**2 - matrix.sum(axis=1))
    about_middle = np.eye(300) - 1 / 300

    variance, _ = bradley_terry._variances(pairs, curvature, spread)

    assert variance == pytest.approx(np.diag(about_middle @ np.linalg.inv(matrix) @ about_middle), rel=0.03)


def test_solver_finds_the_solution_of_the_linear_system():
    pairs = bradley_terry._Pairs(np.array([0, 1, 0]), np.array([1, 2, 3]), np.arange(3), 4)
    curvature, target = np.array([2.0, 0.5, 1.0]) * Q**2, np.array([1.0, -2.0, 0.5, 0.5])

    x = bradley_terry._solved(pairs, curvature, 200.0, target, np.array([5.0, 0.0, -3.0, 1.0]))

    image = x / 200.0**2
    for a, b, c in zip(pairs.a, pairs.b, curvature, strict=True):
        image[a] += c * (x[a] - x[b])
        image[b] += c * (x[b] - x[a])
    assert image == pytest.approx(target, rel=1e-4)


def test_fit_finds_strengths_spread_and_deviations_of_a_tournament():
    tournament = play(11, items=500, raters=200)

    found = fit(ballots(tournament.events, 500, 200))

    missed = found.mean - 1500 - (tournament.strength - tournament.strength.mean())
    assert np.sqrt(np.mean(missed**2)) < 95
    assert found.prior_deviation == pytest.approx(200, rel=0.12)
    assert np.mean(np.abs(missed) < 1.96 * found.deviation) == pytest.approx(0.95, abs=0.03)
    assert found.settled


def test_fit_finds_random_clickers():
    tournament = play(12, items=500, raters=100, votes_per_item=40, random_share=0.3)
    cast = ballots(tournament.events, 500, 100)

    found, blind = fit(cast), fit(cast, with_random=False)

    honest, random = found.honest[~tournament.random], found.honest[tournament.random]
    assert np.mean(honest[:, None] > random[None, :]) > 0.99
    assert found.honest_share == pytest.approx(0.7, abs=0.07)
    truth = tournament.strength - tournament.strength.mean()
    missed, missed_blind = (np.sqrt(np.mean((each.mean - 1500 - truth) ** 2)) for each in (found, blind))
    assert missed < 0.8 * missed_blind


def test_vote_is_weighed_by_the_other_votes_of_its_voter():
    """If a vote also supported its own voter, a surprising vote would weigh too much: errors grow to 117 points."""
    missed = []
    for seed in (1, 2, 3, 4, 5):
        tournament = play(seed, items=500, raters=200, random_share=0.3)
        found = fit(ballots(tournament.events, 500, 200))
        missed.append(found.mean - 1500 - (tournament.strength - tournament.strength.mean()))

    assert np.sqrt(np.mean(np.square(missed))) < 110


@pytest.mark.parametrize("votes", [1, 100, 10_000])
def test_fit_of_unanimous_votes_converges(votes):
    winner = np.repeat(np.arange(4), votes)
    found = fit(Ballots(winner, winner + 1, np.arange(4 * votes) % 7, np.ones(4 * votes), 5, 7))

    assert found.settled
    assert (np.diff(found.mean) < 0).all()
    assert found.mean[0] - found.mean[4] < 10_000


def test_fit_of_honest_voters_finds_no_random_clicker():
    tournament = play(13, items=500, raters=100, votes_per_item=40)

    found = fit(ballots(tournament.events, 500, 100))

    assert found.honest.min() > 0.5
    assert found.honest_share > 0.93


def test_fit_uses_the_other_evidence_about_a_voter():
    tournament = play(14, items=100, raters=50)
    cast = ballots(tournament.events, 100, 50)
    doubt = np.where(np.arange(50) == 7, -60.0, 0.0)

    found = fit(cast, other_log_odds=doubt)

    others = cast.voter != 7
    without = fit(
        Ballots(cast.winner[others], cast.loser[others], cast.voter[others], cast.weight[others], 100, 50),
        other_log_odds=doubt,
    )
    assert found.honest[7] < 0.01
    assert found.mean == pytest.approx(without.mean, abs=2)


def test_super_vote_weighs_two_votes_but_counts_once_for_reliability():
    tournament = play(15, items=60, raters=20)
    cast = ballots(tournament.events, 60, 20)
    twice = np.concatenate([np.arange(len(cast.winner)), [0]])

    once = fit(Ballots(cast.winner[twice], cast.loser[twice], cast.voter[twice], np.ones(len(twice)), 60, 20))
    at_once = fit(replace(cast, weight=np.where(np.arange(len(cast.winner)) == 0, 2.0, 1.0)))

    assert at_once.mean == pytest.approx(once.mean, abs=3)
    assert fit(replace(cast, weight=cast.weight * 2)).log_odds.max() < 1.5 * fit(cast).log_odds.max()


def test_vote_observation_matches_the_exact_posterior():
    """The reference is a sum over a fine grid: normal prior, logistic vote, an honest voter or a coin."""
    for mean, deviation, honest in ((0.0, 100.0, 1.0), (-300.0, 200.0, 0.8), (500.0, 50.0, 0.6)):
        x = np.linspace(mean - 10 * deviation, mean + 10 * deviation, 200_001)
        posterior = np.exp(-0.5 * ((x - mean) / deviation) ** 2)
        posterior *= honest / (1.0 + np.exp(-Q * x)) + (1 - honest) / 2
        posterior /= posterior.sum()
        left = float(posterior @ x)
        left_variance = float(posterior @ (x - left) ** 2)

        before = np.array([mean]), np.array([deviation**2])
        _, precision, shift = bradley_terry._observed(*before, np.array([honest]))

        total = 1 / deviation**2 + precision[0]
        if left_variance < deviation**2:
            assert 1 / total == pytest.approx(left_variance, rel=1e-4)
        assert (mean / deviation**2 + shift[0]) / total == pytest.approx(left, rel=1e-3, abs=0.05)


@pytest.mark.parametrize(("items", "votes"), [(0, 0), (1, 0), (3, 0), (2, 1)])
def test_fit_of_few_or_no_votes_is_finite(items, votes):
    one = np.zeros(votes, dtype=np.int64)
    found = fit(Ballots(one, one + 1, one, np.ones(votes), items, 1))

    assert np.isfinite(found.mean).all()
    assert (found.deviation > 0).all()
    assert len(found.mean) == items
