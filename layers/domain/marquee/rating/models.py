"""The models behind one interface, chosen by an organization's setting."""

from typing import Protocol

from marquee.rating import scoring
from marquee.rating.arrays import Batch, Items, ModelName, Outcome, Population, Scores, Settings, VoterAdditions
from marquee.rating.bayes import Bayes
from marquee.rating.elo import Elo


class Model(Protocol):
    """How items are rated: pure functions of arrays."""

    @property
    def name(self) -> ModelName:
        """As rating.settings.model says it."""

    @property
    def version(self) -> str:
        """Goes up when the same events would score differently; stored with every score."""

    def initial(self, population: Population) -> tuple[float, float]:
        """Mean and deviation of an item of which nothing is known, in the model's own units."""

    def update(self, batch: Batch) -> tuple[Items, VoterAdditions]:
        """The batch's own items after its events, and what its voters' rows gain."""

    def components(self, items: Items, population: Population, settings: Settings) -> Scores:
        """Scores of all of `items`, whatever their `count`."""


_MODELS: dict[ModelName, Model] = {"bayes": Bayes(), "elo": Elo()}


def model(name: ModelName) -> Model:
    """The model of that name. Raises KeyError for a name that no model has."""
    return _MODELS[name]


def rate(name: ModelName, batch: Batch) -> Outcome:
    """Count a batch's events by the model of that name.

    Raises KeyError for a name that no model has, ArithmeticError if anything in the outcome is not finite (which no
    valid input leads to).
    """
    chosen = model(name)
    items, voters = chosen.update(batch)
    scores = chosen.components(items, batch.population, batch.settings)
    if not scoring.finite(items, voters, scores):
        raise ArithmeticError(f"A rating by {chosen.version} is not a finite number.")
    return Outcome(items, voters, scores, name, chosen.version)
