"""The elo model, to the digit. Every expected figure was calculated by hand."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.world import World
from marquee.rating import elo
from marquee.rating.models import model
from marquee.rating.types import Settings
from tests.kit.model_events import events

pytestmark = pytest.mark.usefixtures("sockets_off")


def world(items=3, voters=3, **columns):
    """Create items with the given columns; the others keep their initial values."""
    made = World("elo", items, voters)
    made.items = replace(made.items, **{name: np.array(values, dtype=float) for name, values in columns.items()})
    return made


@pytest.mark.parametrize(
    ("mean", "opponent", "won", "super_vote", "after"),
    [
        (1200, 1200, True, False, 1216.0),
        (1200, 1200, False, False, 1184.0),
        (1200, 1200, True, True, 1232.0),
        (1200, 1200, False, True, 1168.0),
        (1200, 1600, True, False, 1200 + 320 / 11),
        (1600, 1200, False, False, 1600 - 320 / 11),
        (1600, 1200, True, False, 1600 + 32 / 11),
        (1200, 1600, False, True, 1200 - 64 / 11),
        (2000, 1200, False, False, 2000 - 3200 / 101),
    ],
)
def test_vote_moves_a_rating_by_k_times_its_surprise(mean, opponent, won, super_vote, after):
    made = world(items=2, mean=[mean, opponent])

    made.count(events([(0, 0, 1, won)], supers=[0] if super_vote else []))

    assert made.items.mean[0] == pytest.approx(after, abs=1e-10)
    assert made.items.mean[1] == pytest.approx(mean + opponent - after, abs=1e-10)


@pytest.mark.parametrize(
    ("deviation", "after"),
    [(350, 343.13997144), (400, 392.12248087), (50, 50.0), (51, 50.93172292), (100, 98.48878109)],
)
def test_vote_narrows_a_deviation_down_to_fifty(deviation, after):
    made = world(items=2, deviation=[deviation, deviation])

    made.count(events([(0, 0, 1, True)]))

    assert made.items.deviation == pytest.approx([after, after], abs=1e-8)


def test_own_rating_moves_within_a_batch_and_opponents_do_not():
    made = world(items=2)

    made.count(events([(0, 0, 1, True), (1, 0, 1, True)]))

    # 1216 at the second vote, against 1200: expected 1 / (1 + 10^(-16/400)) = 0.5230096, so 1216 + 32 · 0.4769904.
    assert made.items.mean[0] == pytest.approx(1231.2636928, abs=1e-6)
    assert made.items.mean[1] == pytest.approx(1168.7363072, abs=1e-6)


def test_votes_count_in_the_order_of_their_ids():
    """A win of the weaker item is worth more, so the order of the two shows in the third digit."""
    first = world(mean=[1200, 1000, 1600])
    first.count(events([(0, 0, 1, False), (0, 0, 2, True)]))
    backwards = world(mean=[1200, 1000, 1600])
    order = events([(0, 0, 2, True), (0, 0, 1, False)])
    backwards.count(replace(order, vote_id=order.vote_id[::-1].copy()))

    assert first.items.mean.tolist() == backwards.items.mean.tolist()


@pytest.mark.parametrize(
    ("earlier", "value", "shown"),
    [
        ([], 50, 50.0),
        ([], 65, 70.0),
        ([], 100, 100.0),
        ([], 0, 0.0),
        ([], 20, 10.0),
        ([50], 60, 90.0),
        ([50], 50, 50.0),
        ([90], 60, 0.0),
        ([40, 60], 50 + 200**0.5, 70.0),
        ([50, 50, 50], 55, 70.0),
        ([0, 100], 50, 50.0),
        ([20, 30, 40], 40, 70.0),
    ],
)
def test_slider_is_scaled_by_the_raters_earlier_sliders(earlier, value, shown):
    made = world(items=2)

    made.count(events(sliders=[(0, 1, before) for before in earlier] + [(0, 0, value)]))

    assert made.items.slider_sum[0] / made.items.slider_weight[0] == pytest.approx(shown, abs=1e-9)


def test_slider_scale_of_a_rater_continues_across_batches():
    at_once, in_two = world(items=2), world(items=2)
    at_once.count(events(sliders=[(0, 1, 20), (0, 1, 30), (0, 1, 40), (0, 0, 40)]))
    in_two.count(events(sliders=[(0, 1, 20), (0, 1, 30)]))
    in_two.count(events(sliders=[(0, 1, 40), (0, 0, 40)], begin=10))

    assert in_two.items.slider_sum == pytest.approx(at_once.items.slider_sum, abs=1e-9)


@pytest.mark.parametrize(
    ("columns", "score", "rating", "slider", "fire", "confidence"),
    [
        ({}, 41.66666667, 66.66666667, 50, 0, 7.14285714),
        ({"mean": [800]}, 15, 0, 50, 0, 7.14285714),
        ({"mean": [700]}, 15, 0, 50, 0, 7.14285714),
        ({"mean": [1100], "fire_weight": [1]}, 50, 50, 50, 50, 7.14285714),
        ({"mean": [1400], "fire_weight": [3]}, 85, 100, 50, 100, 7.14285714),
        ({"mean": [1500], "fire_weight": [10]}, 85, 100, 50, 100, 7.14285714),
        ({"mean": [1250], "slider_sum": [160], "slider_weight": [2]}, 54, 75, 80, 0, 7.14285714),
        ({"deviation": [50], "votes": [10], "sliders": [5]}, 41.66666667, 66.66666667, 50, 0, 100),
        ({"deviation": [225], "votes": [4], "sliders": [1]}, 41.66666667, 66.66666667, 50, 0, 41),
        ({"mean": [1400], "reliability_sum": [1.5], "reliability_count": [2]}, 41.25, 100, 50, 0, 7.14285714),
    ],
)
def test_score_is_the_weighted_sum_of_its_components(columns, score, rating, slider, fire, confidence):
    made = world(items=1, voters=1, **columns)

    scores = model("elo").components(made.items, made.population, Settings(model="elo"))

    shown = (scores.score, scores.rating_component, scores.slider_component, scores.fire_component, scores.confidence)
    assert [column[0] for column in shown] == pytest.approx([score, rating, slider, fire, confidence], abs=1e-8)


@pytest.mark.parametrize(
    ("votes", "sliders", "deviation", "provisional"),
    [(5, 2, 200, False), (4, 2, 200, True), (5, 1, 200, True), (5, 2, 400, True)],
)
def test_score_with_little_evidence_is_provisional(votes, sliders, deviation, provisional):
    made = world(items=1, votes=[votes], sliders=[sliders], deviation=[deviation])

    scores = model("elo").components(made.items, made.population, made.settings)

    assert scores.provisional.tolist() == [provisional]


def test_new_voter_is_fully_reliable_and_a_known_clicker_is_not():
    made = world(items=2, voters=2)
    made.voters = replace(made.voters, log_odds=np.array([0.0, -np.log(9.0)]))  # 0.9 and 0.5 honest

    outcome = made.count(events([(0, 0, 1, True), (1, 0, 1, True)]))

    assert outcome.scores.reliability == pytest.approx([(1 + 0.5 / 0.9) / 2] * 2)


def test_vote_between_extreme_ratings_stays_finite():
    mean, deviation = elo.voted(1e6, 350.0, -1e6, 0.0, 2.0)

    assert (mean, deviation) == (1e6 - 64.0, pytest.approx(343.13997144))
