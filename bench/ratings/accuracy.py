"""Accuracy: the distance of the rating models from known strengths.

Every row is measured in tournaments with fixed seeds: 500 items with a spread of 200 points, 20 votes each, 200 raters.
In `_random` rows three of ten raters click at random. The columns are:

- log_loss, in nats: of 20,000 votes of honest raters that no model saw
- rmse of the strengths about their mean, in points and as a share of the spread
- coverage: the share of items whose true strength lies within 1.96 deviations
- spearman: the correlation of the ranks
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from bench.figures import RUNS_MIN, Row, Target, against, alone, compared
from bench.ratings.contenders import CONTENDERS, Rated
from bench.ratings.simulation import Tournament, play
from bench.runs import Run, step
from marquee.rating.types import Floats

ITEMS = 500
RATERS = 200
SPREAD = 200.0
SEEDS = range(1, 8)
RANDOM_SHARE = 0.3
UNITS = {
    "log_loss": "nats",
    "rmse": "of spread",
    "rmse_points": "points",
    "coverage": "share",
    "spearman": "correlation",
}
COVERED = 0.95
GAP_MAX = {"log_loss": 0.003, "rmse": 0.003, "rmse_points": 0.003 * SPREAD, "coverage": 0.003, "spearman": 0.003}
TARGETS = {
    **{f"accuracy_gap_{column}{suffix}": Target(at_most=1) for column in UNITS for suffix in ("", "_random")},
    **{f"accuracy_against_elo_{column}{suffix}": Target(at_most=1) for column in UNITS for suffix in ("", "_random")},
}

Scored = dict[str, dict[str, list[float]]]
"""The values of the tournaments, by model and column."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The distance of a model from a better one in a column, in the column's unit, or zero where it is ahead."""

    column: str
    of: str
    behind: str
    values: list[float]


def rows(run: Run) -> Iterator[Row]:
    """Yield a row for each model and column, without and with random raters, then the comparisons of bayes.

    `accuracy_gap_…` is the median distance of bayes from the best model, over the allowed gap.
    `accuracy_against_elo_…` is the loss of bayes over the loss of elo. The loss of coverage is its distance from 0.95,
    and the loss of spearman its distance from 1.
    """
    seeds = range(SEEDS.start, SEEDS.start + run.pick(len(SEEDS), RUNS_MIN))
    for share, suffix in ((0.0, ""), (RANDOM_SHARE, "_random")):
        with step(f"accuracy{suffix}: {len(seeds)} tournaments of {ITEMS} items, rated in {len(CONTENDERS)} ways"):
            found = scored(seeds, share)
        for name, columns in found.items():
            for column, values in columns.items():
                yield alone(f"accuracy_{name}_{column}{suffix}", UNITS[column], values)
        for gap in gaps(found):
            yield against(f"accuracy_gap_{gap.column}{suffix}", UNITS[gap.column], gap.values, GAP_MAX[gap.column])
        for column, unit in UNITS.items():
            both = ([_loss(column, value) for value in found[name][column]] for name in ("elo", "bayes"))
            runs = list(zip(*both, strict=True))
            yield compared(f"accuracy_against_elo_{column}{suffix}", unit, runs)


def scored(seeds: range, random_share: float) -> Scored:
    """Let every model rate every tournament."""
    found: Scored = {name: {column: [] for column in UNITS} for name in CONTENDERS}
    for seed in seeds:
        tournament = play(seed, items=ITEMS, raters=RATERS, spread=SPREAD, random_share=random_share)
        for name, contender in CONTENDERS.items():
            for column, value in judged(contender(tournament.events, ITEMS, RATERS), tournament).items():
                found[name][column].append(value)
    return found


def judged(rated: Rated, tournament: Tournament) -> dict[str, float]:
    """Compute the columns of one model and tournament."""
    truth = tournament.strength - tournament.strength.mean()
    missed = rated.mean - rated.mean.mean() - truth
    unseen = tournament.unseen
    predicted = rated.predicts(unseen.a, unseen.b)
    rmse = float(np.sqrt(np.mean(missed**2)))
    return {
        "log_loss": float(-np.log(np.where(unseen.a_won, predicted, 1.0 - predicted)).mean()),
        "rmse": rmse / SPREAD,
        "rmse_points": rmse,
        "coverage": float(np.mean(np.abs(missed) < 1.96 * rated.deviation)),
        "spearman": float(np.corrcoef(_ranks(rated.mean), _ranks(truth))[0, 1]),
    }


def gaps(found: Scored, of: str = "bayes") -> list[Gap]:
    """Return for each column the distances of the model `of` from the best median, one for each tournament."""
    found_gaps = []
    for column in UNITS:
        losses = {name: [_loss(column, value) for value in columns[column]] for name, columns in found.items()}
        best = min(losses, key=lambda name: median(losses[name]))
        values = [max(0.0, mine - other) for mine, other in zip(losses[of], losses[best], strict=True)]
        found_gaps.append(Gap(column, of, best, values))
    return found_gaps


def _loss(column: str, value: float) -> float:
    """Return the loss of a value, where lower is better."""
    return {"coverage": abs(value - COVERED), "spearman": 1.0 - value}.get(column, value)


def _ranks(values: Floats) -> Floats:
    return np.argsort(np.argsort(values)).astype(np.float64)


def main() -> None:
    """Print a table of all models."""
    for share in (0.0, RANDOM_SHARE):
        found = scored(SEEDS, share)
        sys.stdout.write(f"{share:.0%} random  " + "".join(f"{column:>12}" for column in UNITS) + "\n")
        for name, columns in found.items():
            sys.stdout.write(f"{name:<14}" + "".join(f"{median(values):12.4f}" for values in columns.values()) + "\n")
        behind = [f"{median(gap.values):+.4f} ({gap.behind})" for gap in gaps(found)]
        sys.stdout.write("bayes behind the best: " + ", ".join(behind) + "\n\n")


if __name__ == "__main__":
    main()
