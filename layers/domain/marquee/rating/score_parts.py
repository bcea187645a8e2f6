"""The parts of a score that both models share."""

from dataclasses import fields

import numpy as np

from marquee.rating.types import Booleans, Floats, Items, Scores, Settings, VoterAdditions

PROVISIONAL_VOTES = 5
PROVISIONAL_SLIDERS = 2
PROVISIONAL_CONFIDENCE = 30.0


def weighed(settings: Settings, rating: Floats, slider: Floats, fire: Floats) -> Floats:
    """Return the sum of the three components by the organization's weights, 0 to 100."""
    whole = settings.rating_weight * rating + settings.slider_weight * slider + settings.fire_weight * fire
    return np.clip(whole, 0.0, 100.0)


def provisional(items: Items, confidence: Floats) -> Booleans:
    """Return which scores have little data: under 5 votes, 2 sliders or 30 of confidence."""
    return np.asarray(
        (items.votes < PROVISIONAL_VOTES)
        | (items.sliders < PROVISIONAL_SLIDERS)
        | (confidence < PROVISIONAL_CONFIDENCE)
    )


def finite(*rows: Items | VoterAdditions | Scores) -> bool:
    """Return whether all numbers of all rows are finite."""
    columns = (getattr(row, part.name) for row in rows for part in fields(row))
    return all(bool(np.isfinite(column).all()) for column in columns if isinstance(column, np.ndarray))
