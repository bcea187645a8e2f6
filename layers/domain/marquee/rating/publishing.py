"""The rules for publishing scores, now or later."""

from dataclasses import dataclass

import numpy as np

from marquee.rating.types import Booleans, Floats, Items, Published, Scores, Settings


@dataclass(frozen=True, slots=True)
class Decision:
    """Per item: whether its score is published now, and when a delayed one is due.

    `publish_at` is in seconds since 1970, nan if nothing is delayed.
    """

    publish: Booleans
    publish_at: Floats


def decide(items: Items, scores: Scores, published: Published, settings: Settings, now: float) -> Decision:
    """Decide for each of `items` (the batch's own, after it) by the organization's rules.

    `now` is in seconds since 1970. A score is due when the item meets the minimums, and when it is unpublished or has
    moved enough from the published one. Score, confidence or deviation move by their steps, or the score crosses a
    tier. A due score is delayed while everything is paused, and while the item's last publication is younger than the
    pause.
    """
    due = enough(items, settings) & moved(scores, published, settings)
    pause_ends = np.where(np.isnan(published.published_at), now, published.published_at + settings.pause_seconds)
    pause_ends = np.maximum(pause_ends, now if settings.paused_until is None else settings.paused_until)
    held_back = due & (pause_ends > now)
    return Decision(publish=due & ~held_back, publish_at=np.where(held_back, pause_ends, np.nan))


def enough(items: Items, settings: Settings) -> Booleans:
    """Return which items have the minimum numbers of votes, opponents, sliders and slider voters."""
    opponents = np.array([len(ids) for ids in items.opponents], dtype=np.int64)
    slider_voters = np.array([len(ids) for ids in items.slider_voters], dtype=np.int64)
    return np.asarray(
        (items.votes >= settings.votes_least)
        & (opponents >= settings.opponents_least)
        & (items.sliders >= settings.sliders_least)
        & (slider_voters >= settings.slider_voters_least)
    )


def moved(scores: Scores, published: Published, settings: Settings) -> Booleans:
    """Return which scores are unpublished, or differ enough from the published ones."""
    steps = (
        (scores.score, published.score, settings.score_step),
        (scores.confidence, published.confidence, settings.confidence_step),
        (scores.deviation, published.deviation, settings.deviation_step),
    )
    differs = np.isnan(published.score)
    for new, old, step in steps:
        change = np.abs(new - old)
        differs |= (change >= step) & (change > 0.0)
    tiers = np.sort(np.array(settings.tiers, dtype=np.float64))
    tier, old_tier = (np.searchsorted(tiers, score, side="right") for score in (scores.score, published.score))
    return np.asarray(differs | (tier != old_tier))
