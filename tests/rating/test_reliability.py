"""Reliability separates honest raters from random clickers, by the votes of the other raters."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.simulation import play
from bench.ratings.world import World
from marquee.rating import reliability
from marquee.rating.types import Population
from tests.kit.model_events import events

pytestmark = pytest.mark.usefixtures("sockets_off")


def rate_tournament(name, *, sliders_per_item=0, votes_per_item=80, random_share=0.3):
    """Return the reliability of honest and of random raters after a tournament in twelve periods."""
    tournament = play(
        7,
        items=60,
        raters=40,
        votes_per_item=votes_per_item,
        spread=250,
        random_share=random_share,
        sliders_per_item=sliders_per_item,
    )
    world = World(name, 60, 40)
    everything = tournament.events
    for part in range(12):
        world.begin_period()
        votes = everything.votes_at(everything.vote_id % 12 == part)
        mine = everything.slider_id % 12 == part
        world.count(
            replace(
                votes,
                slider_id=everything.slider_id[mine],
                slider_voter=everything.slider_voter[mine],
                slider_item=everything.slider_item[mine],
                slider_value=everything.slider_value[mine],
            )
        )
    shares = reliability.share(world.voters.log_odds, 0.9)
    return shares[~tournament.random], shares[tournament.random], world


@pytest.mark.parametrize("name", ["bayes", "elo"])
def test_reliability_falls_for_random_clickers_and_rises_for_honest_raters(name):
    honest, random, _ = rate_tournament(name)

    assert np.median(honest) > 0.95
    assert np.median(random) < 0.5
    assert np.mean(honest[:, None] > random[None, :]) > 0.97


def test_reliability_differs_between_raters():
    """If each event both raised and lowered its voter, everyone would stay at the initial value."""
    honest, random, _ = rate_tournament("bayes", votes_per_item=20)

    assert np.ptp(np.concatenate([honest, random])) > 0.2


def test_random_sliders_lower_reliability():
    honest, random, _ = rate_tournament("bayes", votes_per_item=2, sliders_per_item=30)

    assert np.median(honest) > 0.95
    assert np.mean(honest[:, None] > random[None, :]) > 0.95


def test_vote_is_judged_once_for_its_two_items():
    world = World("bayes", 2, 1)
    world.items = replace(world.items, mean=np.array([1700.0, 1300.0]), deviation=np.array([50.0, 50.0]))
    vote = events([(0, 0, 1, True)])

    world.count(vote, [1])
    assert (world.voters.votes[0], world.voters.log_odds[0]) == (0, 0.0)
    world.count(vote, [0])
    assert (world.voters.votes[0], world.voters.agreed[0]) == (1, 1)
    assert 0.4 < world.voters.log_odds[0] < np.log(2)


def test_vote_between_equal_items_does_not_change_reliability():
    world = World("bayes", 2, 4)

    world.count(events([(voter, 0, 1, True) for voter in (0, 0, 0, 0)]))

    assert world.voters.log_odds[0] == pytest.approx(0.0, abs=1e-12)
    assert (world.voters.votes[0], world.voters.agreed[0], world.voters.expected[0]) == (4, 2, 2.0)


def test_uncertain_ratings_weaken_the_evidence_of_a_vote():
    """Ratings 1600 ± 200 and 1500 ± 150: g(250) = 0.7834, P = 0.6109; ln 2(0.98 P + 0.01), and the same of 1 − P."""
    world = World("bayes", 2, 2)
    world.items = replace(world.items, mean=np.array([1600.0, 1500.0]), deviation=np.array([200.0, 150.0]))

    world.count(events([(0, 0, 1, True), (1, 0, 1, False)]))

    assert world.voters.log_odds == pytest.approx([0.1966304, -0.2449981], abs=1e-6)
    assert world.voters.expected == pytest.approx([0.6108643, 0.6108643], abs=1e-6)


def test_single_event_does_not_decide_who_is_honest():
    world = World("bayes", 2, 2)
    world.items = replace(world.items, mean=np.array([9000.0, 0.0]), deviation=np.array([1.0, 1.0]))

    world.count(events([(0, 0, 1, False)], sliders=[(1, 0, 0.0)]))

    assert (world.voters.log_odds >= np.log(reliability.LAPSE) - 1e-9).all()
    assert reliability.share(world.voters.log_odds, 0.9)[0] > 0.1


def explained(**row):
    known = {"votes": 0, "agreed": 0, "expected": 0.0, "log_odds": 0.0, "sliders": 0} | row
    return reliability.explain(**known, population=Population())


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({}, "Nothing is known, so this rater counts like any new one (90 %). Has not voted yet."),
        (
            {"votes": 40, "agreed": 31, "expected": 29.6, "log_odds": 3.0},
            (
                "Very probably rates honestly (99 %). Voted like the other raters in 31 of 40 votes; "
                "an honest rater would in about 30, one clicking at random in about 20."
            ),
        ),
        (
            {"votes": 40, "agreed": 19, "expected": 29.6, "log_odds": -6.0, "sliders": 1},
            (
                "Very probably clicks at random, and counts for next to nothing (2 %). Voted like the other raters in "
                "19 of 40 votes; an honest rater would in about 30, one clicking at random in about 20. "
                "Set 1 slider."
            ),
        ),
        (
            {"log_odds": -3.0, "sliders": 9},
            "Possibly clicks at random, and counts for less (31 %). Has not voted yet. Set 9 sliders.",
        ),
    ],
)
def test_explanation_states_the_reasons(row, text):
    assert explained(**row).text == text


def test_explanation_contains_its_figures():
    found = explained(votes=40, agreed=19, expected=29.6, log_odds=-6.0)

    assert (found.votes, found.agreed, found.expected_honest, found.expected_random) == (40, 19, 29.6, 20.0)
    assert found.reliability == pytest.approx(0.0218, abs=1e-4)
