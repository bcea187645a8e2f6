"""Rules of publishing: scores that are published now, and scores that are held back until a time."""

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
    """Create an item that meets every minimum exactly."""
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


def test_first_score_is_published():
    assert decided(NOTHING) == (True, None)


@pytest.mark.parametrize(
    "lacking",
    [{"votes": 4}, {"opponents": ["a", "b"]}, {"sliders": 1}, {"slider_voters": ["v"]}],
)
def test_item_with_too_few_votes_or_sliders_is_not_published(lacking):
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
def test_score_is_published_again_when_it_moved_by_a_step(now, publish):
    assert decided(published(44.0), **now) == (publish, None)


@pytest.mark.parametrize(
    ("before", "now", "publish"),
    [(49.9, 50.0, True), (50.0, 49.9, True), (50.0, 50.1, False), (79.8, 80.1, True), (10.1, 9.9, False)],
)
def test_score_that_crosses_a_tier_is_published_after_any_move(before, now, publish):
    assert decided(published(before), score=now) == (publish, None)


def test_changed_score_is_published_at_once_or_when_its_pause_ends():
    """A pause holds the score back until it ends; without a pause the score is published at once."""
    before = published(49.72, seconds_ago=100)

    assert decided(before, score=65.93) == (True, None)
    assert decided(before, score=65.93, settings=Settings(pause_seconds=300)) == (False, 200.0)
    assert decided(
        replace(before, published_at=np.array([NOW - 300])), score=65.93, settings=Settings(pause_seconds=300)
    ) == (
        True,
        None,
    )


def test_pause_of_all_publishing_holds_back_first_scores():
    paused = Settings(paused_until=NOW + 60)

    assert decided(NOTHING, settings=paused) == (False, 60.0)
    assert decided(published(44.0), settings=paused) == (False, None)
    assert decided(NOTHING, settings=Settings(paused_until=NOW)) == (True, None)


def test_later_of_two_pauses_applies():
    both = Settings(pause_seconds=300, paused_until=NOW + 60)

    assert decided(published(44.0, seconds_ago=290), score=60.0, settings=both) == (False, 60.0)
    assert decided(published(44.0, seconds_ago=100), score=60.0, settings=both) == (False, 200.0)


def test_steps_of_zero_publish_every_change():
    always = Settings(score_step=0.0, confidence_step=0.0, deviation_step=0.0, tiers=())

    assert decided(published(44.0), score=44.0001, settings=always) == (True, None)
    assert decided(published(44.0), settings=always) == (False, None)
