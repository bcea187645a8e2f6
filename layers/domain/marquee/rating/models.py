"""The models behind one interface, chosen by an organization's setting."""

from typing import Protocol

from marquee.rating import score_parts
from marquee.rating.bayes import Bayes
from marquee.rating.elo import Elo
from marquee.rating.types import Batch, Items, ModelName, Outcome, Population, Scores, Settings, VoterAdditions


class Model(Protocol):
    """The interface of a model: pure functions of arrays."""

    @property
    def name(self) -> ModelName:
        """The name in rating.settings.model."""

    @property
    def version(self) -> str:
        """The version, which rises when the same events would score differently; stored with every score."""

    def initial(self, population: Population) -> tuple[float, float]:
        """Return mean and deviation of an item without events, in the model's own units."""

    def update(self, batch: Batch) -> tuple[Items, VoterAdditions]:
        """Return the batch's own items after its events, and the additions to its voters' rows."""

    def components(self, items: Items, population: Population, settings: Settings) -> Scores:
        """Return the scores of all of `items`, regardless of their `count`."""


_MODELS: dict[ModelName, Model] = {"bayes": Bayes(), "elo": Elo()}


def model(name: ModelName) -> Model:
    """Return the model of that name. Raises KeyError for an unknown name."""
    return _MODELS[name]


def rate(name: ModelName, batch: Batch) -> Outcome:
    """Count a batch's events by the model of that name.

    Raises KeyError for an unknown name, and ArithmeticError if a result is not finite, which no valid input causes.
    """
    chosen = model(name)
    items, voters = chosen.update(batch)
    scores = chosen.components(items, batch.population, batch.settings)
    if not score_parts.finite(items, voters, scores):
        raise ArithmeticError(f"A rating by {chosen.version} is not a finite number.")
    return Outcome(items, voters, scores, name, chosen.version)
