"""Figures of a benchmark: interleaved runs, their medians, ratios and spread."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

RUNS_MIN = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results.

    `value` and `floor` are medians of `runs` runs, in the same unit. The floor is measured, or it is a fixed target.
    `ratio` is value / floor. `spread` is (largest - smallest) / median of the ratios of the single runs, or of the
    values where there is no floor.
    """

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    spread: float
    runs: int

    def document(self) -> dict[str, Any]:
        """Return the row as the file of results contains it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Target:
    """The bounds that a ratio must keep. Either bound may be missing."""

    at_least: float | None = None
    at_most: float | None = None

    def reached(self, ratio: float) -> bool:
        """Return whether a ratio lies within the bounds or equals one of them."""
        too_low = self.at_least is not None and ratio < self.at_least
        return not (too_low or (self.at_most is not None and ratio > self.at_most))

    def __str__(self) -> str:
        bounds = [("≥", self.at_least), ("≤", self.at_most)]
        return " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


def interleaved(runs: int, *measures: Callable[[int], float]) -> list[tuple[float, ...]]:
    """Measure everything once in each run, in turn, so that other load on the machine affects all measures alike.

    Each measure receives the number of the run, from 0.
    """
    return [tuple(measure(run) for measure in measures) for run in range(runs)]


def compared(name: str, unit: str, runs: Sequence[tuple[float, ...]]) -> Row:
    """Make a row from runs of (floor, value), both measured. Raises ValueError for too few runs or a floor of zero."""
    _require(runs, [floor for floor, _ in runs])
    floor, value = median(floor for floor, _ in runs), median(value for _, value in runs)
    return _row(name, unit, value, floor, [value / floor for floor, value in runs])


def against(name: str, unit: str, values: Sequence[float], target: float) -> Row:
    """Make a row from measured values and a fixed target. Raises ValueError for too few runs."""
    _require(values, [target])
    return _row(name, unit, median(values), target, [value / target for value in values])


def alone(name: str, unit: str, values: Sequence[float]) -> Row:
    """Make a row from values without a floor. Raises ValueError for too few runs."""
    _require(values, [])
    return _row(name, unit, median(values), None, list(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of the values do not exceed. Raises ValueError for no values."""
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
        raise ValueError(f"A median needs {RUNS_MIN} runs at least. There are only {len(runs)}.")
    if any(floor <= 0 for floor in floors):
        raise ValueError("A floor must be greater than zero.")


def _rounded(number: float) -> float:
    """Round to four digits, which is finer than any of these measurements."""
    return float(f"{number:.4g}")
