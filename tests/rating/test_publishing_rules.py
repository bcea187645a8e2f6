"""Which scores are published now, which are held back, and until when."""

from dataclasses import replace

import numpy as np
import pytest

from bench.ratings.world import World
from marquee.rating.models import model
from marquee.rating.publishing import decide
from marquee.rating.types import Published, Settings

pytestmark = pytest.mark.usefixtures("sockets_off")

NOW = 1_000_000.0
NOTHING = Published(*(np.array([np.nan]) for _ in range(4)))


def item(**columns):
    """One item that has everything it needs at least."""
    made = World("bayes", 1, 1).items
    enough = {"votes": 5, "sliders": 2, "opponents": ["a", "b", "c"], "slider_voters": ["v", "w"]} | columns
    return replace(
        made, **{name: [value] if isinstance(value, list) else np.array([value]) for name, value in enough.items()}
    )


def scored(items, **columns):
    made = World("bayes", 1, 1)
    scores = model("bayes").components(items, made.population, made.settings)
    return replace(scores, **{name: np.array([float(value)]) for name, value in columns.items()})


def published(score, confidence=50.0, deviation=100.0, seconds_ago=1000.0):
    return Published(*(np.array([float(value)]) for value in (score, confidence, deviation, NOW - seconds_ago)))


def decided(before, *, settings=None, items=None, score=44.0, confidence=50.0, deviation=100.0):
    items = item() if items is None else items
    scores = scored(items, score=score, confidence=confidence, deviation=deviation)
    decision = decide(items, scores, before, settings or Settings(), NOW)
    held = float(decision.publish_at[0])
    return bool(decision.publish[0]), None if np.isnan(held) else held - NOW


def test_the_first_score_is_published():
    assert decided(NOTHING) == (True, None)


@pytest.mark.parametrize(
    "lacking",
    [{"votes": 4}, {"opponents": ["a", "b"]}, {"sliders": 1}, {"slider_voters": ["v"]}],
)
def test_nothing_is_published_of_an_item_that_lacks(lacking):
    assert decided(NOTHING, items=item(**lacking)) == (False, None)


@pytest.mark.parametrize(
    ("now", "publish"),
    [
        ({"score": 44.49}, False),
        ({"score": 44.5}, True),
        ({"score": 43.5}, True),
        ({"confidence": 54.9}, False),
        ({"confidence": 55.0}, True),
        ({"confidence": 45.0}, True),
        ({"deviation": 98.1}, False),
        ({"deviation": 98.0}, True),
        ({"deviation": 102.0}, True),
        ({}, False),
    ],
)
def test_a_score_is_published_again_when_it_has_moved_by_a_step(now, publish):
    assert decided(published(44.0), **now) == (publish, None)


@pytest.mark.parametrize(
    ("before", "now", "publish"),
    [(49.9, 50.0, True), (50.0, 49.9, True), (50.0, 50.1, False), (79.8, 80.1, True), (10.1, 9.9, False)],
)
def test_a_score_that_crosses_a_tier_is_published_however_little_it_moved(before, now, publish):
    assert decided(published(before), score=now) == (publish, None)


def test_a_score_of_49_72_does_not_stay_published_while_it_is_65_93():
    """Held back by a pause, it comes due when the pause ends; without one it goes out at once."""
    before = published(49.72, seconds_ago=100)

    assert decided(before, score=65.93) == (True, None)
    assert decided(before, score=65.93, settings=Settings(pause_seconds=300)) == (False, 200.0)
    assert decided(
        replace(before, published_at=np.array([NOW - 300])), score=65.93, settings=Settings(pause_seconds=300)
    ) == (
        True,
        None,
    )


def test_a_pause_of_everything_holds_back_first_scores_too():
    paused = Settings(paused_until=NOW + 60)

    assert decided(NOTHING, settings=paused) == (False, 60.0)
    assert decided(published(44.0), settings=paused) == (False, None)
    assert decided(NOTHING, settings=Settings(paused_until=NOW)) == (True, None)


def test_the_later_of_two_pauses_counts():
    both = Settings(pause_seconds=300, paused_until=NOW + 60)

    assert decided(published(44.0, seconds_ago=290), score=60.0, settings=both) == (False, 60.0)
    assert decided(published(44.0, seconds_ago=100), score=60.0, settings=both) == (False, 200.0)


def test_steps_of_nothing_publish_every_change_and_no_standstill():
    always = Settings(score_step=0.0, confidence_step=0.0, deviation_step=0.0, tiers=())

    assert decided(published(44.0), score=44.0001, settings=always) == (True, None)
    assert decided(published(44.0), settings=always) == (False, None)
