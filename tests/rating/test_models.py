"""The models behind their common interface."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.world import World
from marquee.rating.models import model, rate
from marquee.rating.types import ModelName, Population
from tests.kit.model_events import events

pytestmark = pytest.mark.usefixtures("sockets_off")

VOTE = events([(0, 0, 1, True)])


@pytest.mark.parametrize("name", ["bayes", "elo"])
def test_outcome_names_its_model_and_version(name: ModelName):
    outcome = World(name, 2, 1).count(VOTE)

    assert (outcome.model, outcome.version) == (name, model(name).version)
    assert outcome.version.startswith(f"{name}-")


def test_unknown_model_is_refused():
    with pytest.raises(KeyError, match="mega"):
        model("mega")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["bayes", "elo"])
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_rating_that_is_not_finite_is_refused(name: ModelName, broken: float):
    batch = World(name, 2, 1).batch(VOTE, np.arange(2))
    items = replace(batch.items, mean=np.array([1500.0, broken]))

    with pytest.raises(ArithmeticError, match="not a finite number"), np.errstate(all="ignore"):
        rate(name, replace(batch, items=items))


@pytest.mark.parametrize("name", ["bayes", "elo"])
def test_counters_count_votes_sliders_and_fires(name: ModelName):
    world = World(name, 3, 3)

    world.count(
        events([(0, 0, 1, True), (1, 2, 0, True)], [(0, 0, 40.0), (1, 0, 60.0)], [(0, 0), (1, 0), (2, 0)], supers=[1])
    )

    items, voters = world.items, world.voters
    counters = (items.votes, items.super_votes, items.wins, items.sliders, items.fires, items.reliability_count)
    assert [column.tolist() for column in counters] == [
        [2, 1, 1],
        [1, 0, 1],
        [1, 0, 1],
        [2, 0, 0],
        [3, 0, 0],
        [4, 1, 1],
    ]
    assert items.opponents == [["i000001", "i000002"], ["i000000"], ["i000000"]]
    assert items.slider_voters == [["v000000", "v000001"], [], []]
    assert (voters.votes.tolist(), voters.sliders.tolist()) == ([1, 1, 0], [1, 1, 0])
    assert (voters.slider_sum.tolist(), voters.slider_square_sum.tolist()) == ([-10.0, 10.0, 0.0], [100.0, 100.0, 0.0])


@pytest.mark.parametrize("name", ["bayes", "elo"])
def test_batch_does_not_change_its_input_arrays(name: ModelName):
    batch = World(name, 2, 1).batch(VOTE, np.arange(2))
    mean, opponents = batch.items.mean.copy(), [list(ids) for ids in batch.items.opponents]

    rate(name, batch)

    assert batch.items.mean.tolist() == mean.tolist()
    assert batch.items.opponents == opponents


@pytest.mark.parametrize("name", ["bayes", "elo"])
def test_batch_without_events_keeps_ratings_and_scores(name: ModelName):
    """This happens when a held-back score is due and no event arrived since."""
    world = World(name, 2, 1)
    first = world.count(VOTE)
    world.begin_period()
    again = world.count(VOTE.votes_at(np.zeros(0, dtype=np.int64)))

    assert again.items.mean.tolist() == first.items.mean.tolist()
    assert again.scores.score.tolist() == first.scores.score.tolist()


def test_base_columns_are_the_state_before_the_period():
    world = World("bayes", 2, 1, Population(period=5))
    world.count(VOTE)
    first = world.items.mean.copy()
    world.begin_period()
    world.count(events([(0, 0, 1, True)], begin=7))

    assert world.items.period.tolist() == [6, 6]
    assert world.items.base_mean.tolist() == first.tolist()
    world.population = replace(world.population, period=5)
    world.count(events([(0, 0, 1, True)], begin=9))
    assert world.items.period.tolist() == [6, 6]
    assert world.items.base_mean.tolist() == first.tolist()
