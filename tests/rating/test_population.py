"""Estimates of a population follow its own data where there are many, and count trusted raters only."""

import numpy as np
import pytest

from marquee.rating import reliability
from marquee.rating.populations import Readings, Scale, fires_half_of, log_odds_of_readings, scale_of

pytestmark = pytest.mark.usefixtures("sockets_off")

ITEMS, RATERS = 300, 150


def readings(*, clickers=0, trust_in_clickers=1.0):
    """Rate each item by ten raters: mean 60, items 12 apart, habits 8, noise 10; the first raters click at random."""
    dice = np.random.default_rng(3)
    item = np.repeat(np.arange(ITEMS), 10)
    voter = dice.integers(0, RATERS, len(item))
    value = 60 + dice.normal(0, 12, ITEMS)[item] + dice.normal(0, 8, RATERS)[voter] + dice.normal(0, 10, len(item))
    at_random = voter < clickers
    value = np.where(at_random, dice.uniform(0, 100, len(item)), value)
    trust = np.where(at_random, trust_in_clickers, 1.0)
    return Readings(item, voter, value, trust, ITEMS, RATERS)


def figures(scale):
    return [scale.mean, scale.item_deviation, scale.rater_deviation, scale.noise_deviation]


def test_slider_spread_is_split_into_items_habits_and_noise():
    assert figures(scale_of(readings())) == pytest.approx([60, 12, 8, 10], abs=1.2)


def test_untrusted_raters_do_not_raise_the_noise_estimate():
    assert figures(scale_of(readings(clickers=45, trust_in_clickers=0.0))) == pytest.approx([60, 12, 8, 10], abs=1.2)
    assert scale_of(readings(clickers=45)).noise_deviation > 15


def test_scale_without_sliders_is_the_default():
    none = np.zeros(0, dtype=np.int64)

    assert figures(scale_of(Readings(none, none, np.zeros(0), np.zeros(0), 4, 4))) == [50, 15, 10, 15]


def test_few_sliders_shrink_to_the_default_scale():
    """Ten items, each set to 100 by a different rater, weigh as much as ten items at the default."""
    each = np.arange(10)

    scale = scale_of(Readings(each, each, np.full(10, 100.0), np.ones(10), 10, 10))

    assert 60 < scale.mean < 75


def test_slider_is_judged_by_the_sliders_of_other_raters():
    """Two items are set to 80: one by three raters, the other by a single rater."""
    scale = Scale(50, 15, 10, 15, item=np.zeros(2), rater=np.zeros(4))
    item, voter = np.array([0, 0, 0, 1]), np.arange(4)

    log_odds = log_odds_of_readings(Readings(item, voter, np.full(4, 80.0), np.ones(4), 2, 4), scale)

    # k = 15² / 15² = 1; the habit keeps 225 / (1 + 225 / 100). From two: (160 + 50) / 3, 225 / 3; from none: 50, 225.
    habit = 225 / 3.25
    expected = reliability.log_odds_of_sliders(
        np.array([80.0, 80.0]), np.array([70.0, 50.0]), np.array([225 + 75 + habit, 225 + 225 + habit])
    )
    assert log_odds == pytest.approx([expected[0]] * 3 + [expected[1]])
    assert expected[0] > 0 > expected[1]


@pytest.mark.parametrize(
    ("fires", "half"), [([], 10), ([0, 0], 10), ([30] * 10, 20), ([0] * 90 + [2, 30, 900], 190 / 13), ([0.01] * 990, 1)]
)
def test_fires_half_is_the_shrunk_median_of_items_with_fires(fires, half):
    assert fires_half_of(np.array(fires, dtype=float)) == pytest.approx(half)
