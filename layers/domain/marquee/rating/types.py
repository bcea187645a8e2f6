"""The input and the output of a model: arrays, for one organization at a time.

Every array of a class has the same length, and its name is a column of the class's table. The caller fills a Batch from
the database; `marquee.rating.models.rate` returns an Outcome. This module knows no database.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
ModelName = Literal["bayes", "elo"]


@dataclass(frozen=True, slots=True)
class Items:
    """Rows of rating.item_stats: first the batch's own items (`count` of them), then their opponents.

    A model changes only the batch's own items; it reads the ratings of the opponents. An item without a row has the
    mean and deviation of `Model.initial(population)`, also as base_mean and base_deviation; its other numbers are zero.
    `opponents` and `slider_voters` are lists of at most twenty ids in ascending order. Opponents may have empty lists.
    """

    ids: list[str]
    count: int
    mean: Floats
    deviation: Floats
    period: Integers
    base_mean: Floats
    base_deviation: Floats
    score_sum: Floats
    information_sum: Floats
    votes: Integers
    super_votes: Integers
    wins: Integers
    sliders: Integers
    fires: Integers
    slider_sum: Floats
    slider_weight: Floats
    base_slider_sum: Floats
    base_slider_weight: Floats
    fire_weight: Floats
    reliability_sum: Floats
    reliability_count: Integers
    opponents: list[list[str]]
    slider_voters: list[list[str]]


@dataclass(frozen=True, slots=True)
class Voters:
    """Rows of rating.voters: all voters of the batch's events. A voter without a row has zero everywhere."""

    ids: list[str]
    votes: Integers
    agreed: Integers
    expected: Floats
    log_odds: Floats
    period: Integers
    base_log_odds: Floats
    sliders: Integers
    slider_sum: Floats
    slider_square_sum: Floats
    residual_sum: Floats
    residual_square_sum: Floats
    base_sliders: Integers
    base_residual_sum: Floats
    base_residual_square_sum: Floats


@dataclass(frozen=True, slots=True)
class Votes:
    """Rows of rating.inbox of kind vote, in any order. A vote has two: one for each of its items.

    `item` and `opponent` are places in Items (`item` below Items.count), `voter` is a place in Voters. `score` is 1.0
    if the item won and 0.0 if it lost; `weight` is 1.0 or 2.0; `first` marks the row by which the voter is judged.
    """

    item: Integers
    opponent: Integers
    voter: Integers
    score: Floats
    weight: Floats
    first: Booleans
    event_id: Integers


@dataclass(frozen=True, slots=True)
class Sliders:
    """Rows of rating.inbox of kind slider, in any order; `value` is from 0 to 100."""

    item: Integers
    voter: Integers
    value: Floats
    event_id: Integers


@dataclass(frozen=True, slots=True)
class Fires:
    """Rows of rating.inbox of kind fire, in any order. The database ensures one per item and voter for ever."""

    item: Integers
    voter: Integers


@dataclass(frozen=True, slots=True)
class Population:
    """A row of rating.populations; the defaults are those of its columns."""

    period: int = 1
    prior_mean: float = 1500.0
    prior_deviation: float = 350.0
    slider_mean: float = 50.0
    slider_deviation: float = 15.0
    rater_deviation: float = 10.0
    noise_deviation: float = 15.0
    fires_half: float = 10.0
    honest_share: float = 0.9


@dataclass(frozen=True, slots=True)
class Settings:
    """A row of rating.settings; the defaults are those of its columns. `paused_until` is in seconds since 1970."""

    model: ModelName = "bayes"
    rating_weight: float = 0.40
    slider_weight: float = 0.30
    fire_weight: float = 0.30
    votes_least: int = 5
    opponents_least: int = 3
    sliders_least: int = 2
    slider_voters_least: int = 2
    score_step: float = 0.5
    confidence_step: float = 5.0
    deviation_step: float = 2.0
    tiers: tuple[float, ...] = (20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0)
    pause_seconds: float = 0.0
    paused_until: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The complete input of a model for one organization's share of a batch."""

    items: Items
    voters: Voters
    votes: Votes
    sliders: Sliders
    fires: Fires
    population: Population = field(default_factory=Population)
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class VoterAdditions:
    """Additions to the rows of Batch.voters, in its order.

    They are additions because another worker may add to the same row at the same time. Before that, a row whose
    `period` is below the batch's is carried over: base_log_odds := log_odds, base_sliders := sliders, base_residual_sum
    := residual_sum, base_residual_square_sum := residual_square_sum, period := the batch's.
    """

    votes: Integers
    agreed: Integers
    expected: Floats
    log_odds: Floats
    sliders: Integers
    slider_sum: Floats
    slider_square_sum: Floats
    residual_sum: Floats
    residual_square_sum: Floats
    fires: Integers


@dataclass(frozen=True, slots=True)
class Scores:
    """Columns of rating.item_scores: the rating itself in its own units, the rest from 0 to 100, reliability 0 to 1."""

    score: Floats
    rating_component: Floats
    slider_component: Floats
    fire_component: Floats
    reliability: Floats
    mean: Floats
    deviation: Floats
    confidence: Floats
    provisional: Booleans


@dataclass(frozen=True, slots=True)
class Published:
    """The published scores of the batch's own items: rows of rating.item_scores, nan if there is none.

    `published_at` is in seconds since 1970.
    """

    score: Floats
    confidence: Floats
    deviation: Floats
    published_at: Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a batch: the new rows of its own items (`count` of them, to be written unchanged), and scores."""

    items: Items
    voters: VoterAdditions
    scores: Scores
    model: ModelName
    version: str
