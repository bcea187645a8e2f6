"""Properties of the ratings for any events: order, splitting and range."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.ratings.simulation import play
from bench.ratings.world import Events, World
from marquee.rating.models import rate
from marquee.rating.types import Batch, Items, Population, VoterAdditions
from tests.kit.model_events import events

ITEMS, VOTERS = 5, 4
NAMES = ("bayes", "elo")

votes = st.tuples(st.integers(0, VOTERS - 1), st.integers(0, ITEMS - 1), st.integers(1, ITEMS - 1), st.booleans()).map(
    lambda vote: (vote[0], vote[1], (vote[1] + vote[2]) % ITEMS, vote[3])
)
sliders = st.tuples(st.integers(0, VOTERS - 1), st.integers(0, ITEMS - 1), st.floats(0, 100))
fires = st.tuples(st.integers(0, VOTERS - 1), st.integers(0, ITEMS - 1))


@st.composite
def drawn_events(draw):
    cast = draw(st.lists(votes, max_size=25))
    supers = [at for at in range(len(cast)) if draw(st.booleans())]
    return events(
        cast, draw(st.lists(sliders, max_size=12)), draw(st.lists(fires, max_size=8, unique=True)), supers=supers
    )


def world_with_history(name):
    """Return a world with earlier events, at the start of a period."""
    world = World(name, ITEMS, VOTERS)
    dice = np.random.default_rng(3)
    for _ in range(2):
        world.begin_period()
        cast = [(int(v), int(a), int(a + 1) % ITEMS, bool(w)) for v, a, w in dice.integers(0, [4, 5, 2], (12, 3))]
        said = [(int(v), int(i), float(x)) for v, i, x in dice.integers(0, [4, 5, 101], (8, 3))]
        world.count(events(cast, said, [(0, 1)]))
    world.begin_period()
    return world


def numbers(rows):
    return {
        part.name: getattr(rows, part.name) for part in fields(rows) if isinstance(getattr(rows, part.name), np.ndarray)
    }


def exactly_alike(left, right):
    for name, column in numbers(left).items():
        assert column.tolist() == getattr(right, name).tolist(), name


def alike(left, right, tolerance=1e-9):
    for name, column in numbers(left).items():
        assert column == pytest.approx(getattr(right, name), rel=tolerance, abs=tolerance), name


def shuffled(batch: Batch, dice: np.random.Generator) -> Batch:
    """Return the same batch with its events in another order."""

    def mixed(rows):
        order = dice.permutation(len(rows.item))
        return replace(rows, **{part.name: getattr(rows, part.name)[order] for part in fields(rows)})

    return replace(batch, votes=mixed(batch.votes), sliders=mixed(batch.sliders), fires=mixed(batch.fires))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(said=drawn_events(), seed=st.integers(0, 1000))
def test_order_of_events_in_a_batch_changes_nothing(name, said, seed):
    batch = world_with_history(name).batch(said, np.arange(ITEMS))

    straight, mixed = rate(name, batch), rate(name, shuffled(batch, np.random.default_rng(seed)))

    exactly_alike(straight.items, mixed.items)
    exactly_alike(straight.voters, mixed.voters)
    exactly_alike(straight.scores, mixed.scores)
    assert straight.items.opponents == mixed.items.opponents


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(said=drawn_events(), order=st.permutations(range(ITEMS)))
def test_order_of_items_in_a_batch_changes_nothing(name, said, order):
    straight, mixed = world_with_history(name), world_with_history(name)

    straight.count(said)
    mixed.count(said, order)

    exactly_alike(straight.items, mixed.items)
    exactly_alike(straight.voters, mixed.voters)
    assert straight.items.opponents == mixed.items.opponents
    assert straight.items.slider_voters == mixed.items.slider_voters


def split(said: Events, first: set[int]):
    """Split the events into those whose ids are in `first`, and the others; fires go by their item."""

    def part(chosen):
        taken = said.votes_at(np.isin(said.vote_id, list(first)) == chosen)
        mine, lit = np.isin(said.slider_id, list(first)) == chosen, np.isin(said.fire_item, list(first)) == chosen
        return replace(
            taken,
            slider_id=said.slider_id[mine],
            slider_voter=said.slider_voter[mine],
            slider_item=said.slider_item[mine],
            slider_value=said.slider_value[mine],
            fire_voter=said.fire_voter[lit],
            fire_item=said.fire_item[lit],
        )

    return part(True), part(False)


@settings(max_examples=60, deadline=None)
@given(said=drawn_events(), first=st.sets(st.integers(0, 40)))
def test_two_half_batches_in_one_period_equal_one_whole(said, first):
    whole, cut = world_with_history("bayes"), world_with_history("bayes")

    whole.count(said)
    for half in split(said, first):
        cut.count(half)

    alike(cut.items, whole.items)
    alike(cut.voters, whole.voters)
    assert cut.items.opponents == whole.items.opponents


@settings(max_examples=60, deadline=None)
@given(said=drawn_events(), first=st.sets(st.integers(0, ITEMS - 1)))
def test_two_batches_of_different_items_in_one_period_equal_one_whole(said, first):
    whole, cut = world_with_history("bayes"), world_with_history("bayes")

    whole.count(said)
    cut.count(said, sorted(first))
    cut.count(said, sorted(set(range(ITEMS)) - first))

    alike(cut.items, whole.items)
    alike(cut.voters, whole.voters)


@settings(max_examples=60, deadline=None)
@given(said=drawn_events())
def test_batch_with_stale_opponents_gives_the_same_result(said):
    """A worker read its opponents before another worker wrote them, and wrote its own results after it."""
    whole, overlapping = world_with_history("bayes"), world_with_history("bayes")
    whole.count(said)

    left, right = np.array([0, 2, 4]), np.array([1, 3])
    read_before = overlapping.batch(said, right)
    overlapping.count(said, left.tolist())
    outcome = rate("bayes", read_before)

    for name, column in numbers(outcome.items).items():
        assert column == pytest.approx(getattr(whole.items, name)[right], rel=1e-9, abs=1e-9), name


PERIODS_APART = 3.0
"""Allowed difference between two periods and one, in deviations of the rating. Directed searches find up to 1.7."""

DEVIATIONS_APART = 0.6
"""Allowed difference of the deviation, as a share of it. Directed searches find up to 0.45."""


@settings(max_examples=100, deadline=None)
@given(said=drawn_events(), first=st.sets(st.integers(0, 40)))
def test_two_half_batches_in_two_periods_stay_close_to_one_whole(said, first):
    whole, cut = world_with_history("bayes"), world_with_history("bayes")

    whole.count(said)
    for half in split(said, first):
        cut.count(half)
        cut.begin_period()

    apart = np.abs(cut.items.mean - whole.items.mean) / whole.items.deviation
    assert apart.max() < PERIODS_APART
    assert cut.items.deviation == pytest.approx(whole.items.deviation, rel=DEVIATIONS_APART)
    assert cut.items.votes.tolist() == whole.items.votes.tolist()


wild = st.floats(-1e6, 1e6)
populations = st.builds(
    Population,
    period=st.integers(1, 5),
    prior_mean=wild,
    prior_deviation=st.floats(1e-3, 1e4),
    slider_mean=st.floats(0, 100),
    slider_deviation=st.floats(1e-3, 1e3),
    rater_deviation=st.floats(1e-3, 1e3),
    noise_deviation=st.floats(1e-3, 1e3),
    fires_half=st.floats(1e-3, 1e6),
    honest_share=st.floats(1e-6, 1 - 1e-6),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(
    said=drawn_events(),
    population=populations,
    mean=st.lists(wild, min_size=ITEMS, max_size=ITEMS),
    deviation=st.lists(st.floats(1e-3, 1e4), min_size=ITEMS, max_size=ITEMS),
    log_odds=st.lists(wild, min_size=VOTERS, max_size=VOTERS),
)
@example(
    said=events([(0, 0, 1, False)], [(0, 0, 100.0)], [(0, 0)]),
    population=Population(),
    mean=[1e6, -1e6, 0, 0, 0],
    deviation=[1e-3] * ITEMS,
    log_odds=[1e6] * VOTERS,
)
def test_every_result_is_finite_and_in_its_range(name, said, population, mean, deviation, log_odds):
    world = World(name, ITEMS, VOTERS, population)
    world.items = replace(world.items, mean=np.array(mean), deviation=np.array(deviation))
    world.voters = replace(world.voters, log_odds=np.array(log_odds))

    outcome = world.count(said)  # raises ArithmeticError for a number that is not finite

    scores = outcome.scores
    for column in (scores.score, scores.rating_component, scores.slider_component, scores.fire_component):
        assert ((column >= 0) & (column <= 100)).all()
    assert ((scores.confidence >= 0) & (scores.confidence <= 100)).all()
    assert ((scores.reliability >= 0) & (scores.reliability <= 1)).all()
    assert (outcome.items.deviation > 0).all()
    assert_types(outcome.items, outcome.voters)


def assert_types(items: Items, voters: VoterAdditions) -> None:
    for rows in (items, voters):
        for name, column in numbers(rows).items():
            declared = {part.name: str(part.type) for part in fields(rows)}[name]
            assert column.dtype.kind == ("i" if "int64" in declared else "f"), name


@settings(max_examples=50, deadline=None)
@given(said=drawn_events())
def test_item_remembers_its_first_twenty_opponents_and_slider_voters(said):
    world = World("bayes", 30, 30)
    for item in range(1, 30):
        world.count(events([(item, 0, item, True)], [(item, 0, 50.0)], begin=item))

    assert world.items.opponents[0] == world.items.ids[1:21]
    assert world.items.slider_voters[0] == world.voters.ids[1:21]
    world.count(said)
    assert set(world.items.opponents[0]) <= set(world.items.ids[:21])


def test_two_periods_of_a_tournament_stay_very_close_to_one():
    """With twenty votes per item, the average difference is under a quarter of a deviation, and none exceeds one."""
    tournament = play(5, items=200, raters=100)
    whole, cut = World("bayes", 200, 100), World("bayes", 200, 100)
    whole.count(tournament.events)
    for half in (0, 1):
        cut.begin_period()
        cut.count(tournament.events.votes_at(tournament.events.vote_id % 2 == half))

    apart = np.abs(cut.items.mean - whole.items.mean) / whole.items.deviation
    assert apart.mean() < 0.25
    assert apart.max() < 1.0
