"""The bayes model: the arithmetic of a period, sliders by item and rater, and scores as percentiles."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.world import World
from marquee.rating import glicko
from marquee.rating.bayes import rater_habit
from marquee.rating.models import model
from marquee.rating.types import Population
from tests.kit.model_events import events

pytestmark = pytest.mark.usefixtures("sockets_off")


def known(**columns):
    """Create items with the given columns; the others keep their initial values. All voters are certainly honest."""
    made = World("bayes", len(next(iter(columns.values()))), 20, Population(honest_share=0.5))
    made.items = replace(made.items, **{name: np.array(values, dtype=float) for name, values in columns.items()})
    made.voters = replace(made.voters, log_odds=np.full(20, 50.0))
    return made


def test_ratings_match_glickmans_worked_example_to_four_digits():
    """An item at 1500 ± 200 beats 1400 ± 30, loses to 1550 ± 100 and to 1700 ± 300: 1464 ± 151.4."""
    made = known(mean=[1500, 1400, 1550, 1700], deviation=[200, 30, 100, 300])

    made.count(events([(0, 0, 1, True), (1, 0, 2, False), (2, 0, 3, False)]))

    assert f"{made.items.mean[0]:.4g} {made.items.deviation[0]:.4g}" == "1464 151.4"
    assert made.items.mean[0] == pytest.approx(1464.106, abs=1e-3)
    assert made.items.deviation[0] == pytest.approx(151.399, abs=1e-3)


def test_intermediate_figures_match_glickmans_to_four_digits():
    g = glicko.attenuation(np.array([30.0, 100.0, 300.0]))

    assert g.round(4).tolist() == [0.9955, 0.9531, 0.7242]
    assert glicko.expectation(np.array([100.0, -50.0, -200.0]), g).round(3).tolist() == [0.639, 0.432, 0.303]


def test_super_vote_weighs_two_votes():
    twice, at_once = (known(mean=[1500, 1400], deviation=[200, 100]) for _ in range(2))

    twice.count(events([(0, 0, 1, True), (0, 0, 1, True)]))
    at_once.count(events([(0, 0, 1, True)], supers=[0]))

    assert twice.items.mean == pytest.approx(at_once.items.mean, abs=1e-9)
    assert twice.items.deviation == pytest.approx(at_once.items.deviation, abs=1e-9)


def test_random_clicker_moves_no_rating():
    made = known(mean=[1500, 1400], deviation=[200, 100])
    made.voters = replace(made.voters, log_odds=np.full(20, -50.0))

    made.count(events([(0, 0, 1, True)], sliders=[(0, 0, 100)], fires=[(0, 0)]))

    assert made.items.mean == pytest.approx([1500, 1400], abs=1e-6)
    assert made.items.deviation == pytest.approx([200, 100], abs=1e-6)
    assert made.items.slider_weight[0] + made.items.fire_weight[0] == pytest.approx(0, abs=1e-9)


def test_surprising_vote_of_a_doubtful_voter_counts_less():
    """A random click explains an unlikely vote better, so doubt reduces its weight by more than its share."""
    likely, unlikely = np.array([-1000.0]), np.array([1000.0])
    deviation, lost = np.array([1.0]), np.array([0.0])

    def pull(difference, honest):
        return float(glicko.evidence(difference, deviation, lost, honest)[0][0])

    assert abs(pull(unlikely, 0.9)) < 0.1 * abs(pull(unlikely, 1.0))
    assert abs(pull(likely, 0.9)) == pytest.approx(0.9 * abs(pull(likely, 1.0)), rel=0.06)


def test_flood_of_surprising_votes_moves_a_rating_by_a_bounded_step():
    made = known(mean=[2300, 1500], deviation=[50, 50])

    made.count(events([(voter % 20, 0, 1, False) for voter in range(2000)]))

    assert made.items.mean.tolist() == pytest.approx([2300 - 150, 1500 + 150])


def test_item_without_evidence_has_average_components():
    made = World("bayes", 1, 1, Population(prior_mean=1620, prior_deviation=90, slider_mean=71))

    scores = model("bayes").components(made.items, made.population, made.settings)

    assert (scores.rating_component[0], scores.slider_component[0], scores.fire_component[0]) == (50, 50, 0)
    assert (scores.confidence[0], scores.reliability[0], scores.provisional[0]) == (0, 1, True)


def test_components_are_percentiles_that_allow_for_uncertainty():
    """An item 350 points above the mean, as uncertain as the population is wide: 100 Φ(350 / √(350² + 350²)).

    With k = 20² / 10² = 4, four sliders of 80 give (320 + 4 · 50) / (4 + 4) = 65, with a variance of 400 / 8.
    """
    made = known(
        mean=[1850, 1290], deviation=[350, 120], slider_weight=[0, 4], slider_sum=[0, 320], fire_weight=[4, 12]
    )
    population = Population(slider_deviation=10, noise_deviation=20, fires_half=4)

    scores = model("bayes").components(made.items, population, made.settings)

    assert scores.rating_component == pytest.approx([76.0249939, 28.5164317], abs=1e-6)
    assert scores.slider_component == pytest.approx([50, 88.9664319], abs=1e-6)
    assert scores.fire_component == pytest.approx([50, 75])
    assert scores.score == pytest.approx(
        0.4 * scores.rating_component + 0.3 * scores.slider_component + 0.3 * scores.fire_component
    )


def test_extreme_items_have_distinct_components():
    made = known(mean=[2300, 2400, 700, 600], deviation=[50, 50, 50, 50], fire_weight=[500, 600, 0, 0])

    scores = model("bayes").components(made.items, made.population, made.settings)

    assert 90 < scores.rating_component[0] < scores.rating_component[1] < 100
    assert 0 < scores.rating_component[3] < scores.rating_component[2] < 10
    assert 90 < scores.fire_component[0] < scores.fire_component[1] < 100


def test_confidence_is_the_explained_share_of_the_spread():
    made = known(mean=[1500, 1500], deviation=[350, 175], slider_weight=[0, 3], slider_sum=[0, 150])

    scores = model("bayes").components(made.items, made.population, made.settings)

    assert scores.confidence == pytest.approx([0, 75])


def test_scores_show_the_mean_and_deviation_of_the_rating():
    made = known(mean=[1700, 1500], deviation=[80, 90])

    scores = made.count(events([(0, 0, 1, True)])).scores

    assert scores.mean.tolist() == made.items.mean.tolist()
    assert scores.deviation.tolist() == made.items.deviation.tolist()
    assert (scores.mean > 1000).all()
    assert (scores.deviation > 50).all()


def test_high_sliders_of_a_habitually_high_rater_lift_no_item():
    """The habit is learnt in one period and subtracted in the next."""
    made = World("bayes", 40, 5)
    for _ in range(3):
        made.begin_period()
        others = [(voter, item, 50.0) for voter in (0, 1, 2) for item in range(30)]
        made.count(events(sliders=others + [(4, item, 75.0) for item in range(30)]))
    made.begin_period()
    made.count(events(sliders=[(4, 35, 75.0), (0, 36, 50.0), (0, 37, 75.0)]))

    scores = model("bayes").components(made.items, made.population, made.settings).slider_component
    assert scores[37] > scores[36] + 20
    assert scores[35] - scores[36] < 0.4 * (scores[37] - scores[36])


def test_rater_habit_and_noise_shrink_to_the_population():
    """Five residuals: sum 25, squares 325; noise 15, habits 10 apart: l = 2.25, scatter 325 − 25² / 5."""
    made = World("bayes", 1, 2)
    voters = replace(
        made.voters,
        base_sliders=np.array([5, 0]),
        base_residual_sum=np.array([25.0, 0.0]),
        base_residual_square_sum=np.array([325.0, 0.0]),
    )

    habit, left, noise = rater_habit(voters, Population(rater_deviation=10, noise_deviation=15))

    assert habit == pytest.approx([25 / 7.25, 0])
    assert left == pytest.approx([225 / 7.25, 100])
    assert noise == pytest.approx([(10 * 225 + 200) / 14, 225])


def test_random_sliders_weigh_less_than_steady_ones():
    made = World("bayes", 60, 5)
    dice = np.random.default_rng(4)
    for _ in range(4):
        made.begin_period()
        steady = [(voter, item, 40.0 + item / 3) for voter in (0, 1) for item in range(60)]
        made.count(events(sliders=steady + [(2, item, dice.uniform(0, 100)) for item in range(60)]))
    weight_before = made.items.slider_weight[0:2].copy()
    made.begin_period()
    made.count(events(sliders=[(0, 0, 40.0), (2, 1, 40.0)]))

    gained = made.items.slider_weight[0:2] - weight_before
    assert gained[1] < 0.2 * gained[0]
