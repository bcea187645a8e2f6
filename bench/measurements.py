"""The arithmetic of a benchmark: interleaved runs, medians, ratios and how far they lie apart."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

RUNS_MIN = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results.

    `floor` is what `value` compares with, in the same unit: a measured floor or a fixed target; `ratio` is value over
    floor; `spread` is (largest - smallest) / median of the ratios of the single runs (of the values where there is no
    floor); `runs` is how many runs the medians are of.
    """

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    spread: float
    runs: int

    def document(self) -> dict[str, Any]:
        """The row as it stands in the file of results."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio is to reach; either bound may be missing."""

    at_least: float | None = None
    at_most: float | None = None

    def reached(self, ratio: float) -> bool:
        """Whether a ratio lies within the bounds, which belong to them."""
        too_low = self.at_least is not None and ratio < self.at_least
        return not (too_low or (self.at_most is not None and ratio > self.at_most))

    def __str__(self) -> str:
        bounds = [("≥", self.at_least), ("≤", self.at_most)]
        return " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


def interleaved(runs: int, *measures: Callable[[int], float]) -> list[tuple[float, ...]]:
    """Each run measures everything once, in turn, so that what disturbs the machine disturbs all alike.

    Each measure is given the number of the run, from 0.
    """
    return [tuple(measure(run) for measure in measures) for run in range(runs)]


def compared(name: str, unit: str, runs: Sequence[tuple[float, ...]]) -> Row:
    """A row of runs of (floor, value), both measured. Raises ValueError for too few runs or a floor of nothing."""
    _require(runs, [floor for floor, _ in runs])
    floor, value = median(floor for floor, _ in runs), median(value for _, value in runs)
    return _row(name, unit, value, floor, [value / floor for floor, value in runs])


def against(name: str, unit: str, values: Sequence[float], target: float) -> Row:
    """A row of measured values that compare with a fixed number. Raises ValueError for too few runs."""
    _require(values, [target])
    return _row(name, unit, median(values), target, [value / target for value in values])


def alone(name: str, unit: str, values: Sequence[float]) -> Row:
    """A row of values that compare with nothing. Raises ValueError for too few runs."""
    _require(values, [])
    return _row(name, unit, median(values), None, list(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that is not exceeded by `share` (0 to 1) of them. Raises ValueError for none."""
    if not values or not 0 < share <= 1:
        raise ValueError("A percentile needs values and a share above 0 and up to 1.")
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def _row(name: str, unit: str, value: float, floor: float | None, ratios: list[float]) -> Row:
    middle = median(ratios)
    return Row(
        name=name,
        value=_rounded(value),
        unit=unit,
        floor=None if floor is None else _rounded(floor),
        ratio=None if floor is None else round(value / floor, 3),
        spread=round((max(ratios) - min(ratios)) / middle, 3) if middle else 0.0,
        runs=len(ratios),
    )


def _require(runs: Sequence[object], floors: Sequence[float]) -> None:
    if len(runs) < RUNS_MIN:
        raise ValueError(f"A median needs {RUNS_MIN} runs at least; there are {len(runs)}.")
    if any(floor <= 0 for floor in floors):
        raise ValueError("What a value compares with must be more than nothing.")


def _rounded(number: float) -> float:
    """Four figures are more than any of these measurements is good for."""
    return float(f"{number:.4g}")
