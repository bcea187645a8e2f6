"""Report the parts of a template that do not run here: a line for each, in groups, with the next step."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Self


class Group(Enum):
    """The groups of the report, the most important first; each names the next step."""

    CLOSED = "Routes that respond 501, because they are not safe or not possible here:"
    APIS = "APIs that are not served here:"
    FAULTS = "Left out because of a mistake in the template. Correct the part, or go on without it:"
    ELSEWHERE = "Not found on this machine. Put the file in its place, or go on without it:"
    FUNCTIONS = "Functions that do not run here, because only Python code in a folder or in the template runs:"
    TRIGGERS = "Triggers that do not fire here. Start the function with `python -m local invoke FUNCTION event.json`:"
    VALUES = "Values that are invented, because they come from outside this template:"
    SETTINGS = "Settings that have no effect here:"
    RESOURCES = "Resources that exist by name only, so that others can refer to them:"


class Report:
    """The lines of all parts. `within` returns the same report for a nested template, with its name in the lines."""

    def __init__(self, lines: list[tuple[Group, str]] | None = None, prefix: str = "") -> None:
        self._lines = [] if lines is None else lines
        self._prefix = prefix

    def add(self, group: Group, line: str) -> None:
        """Add a line, unless it exists already."""
        entry = (group, self._prefix + line)
        if entry not in self._lines:
            self._lines.append(entry)

    def within(self, name: str) -> Self:
        """Return this report for the nested template `name`."""
        return type(self)(self._lines, f"{self._prefix}{name}.")

    def root(self) -> Self:
        """Return this report for lines that already have the full names."""
        return type(self)(self._lines)

    def entries(self) -> tuple[tuple[Group, str], ...]:
        """Return all lines with their groups, in the order of their arrival."""
        return tuple(self._lines)


def paragraphs(entries: Iterable[tuple[Group, str]]) -> list[str]:
    """Return the lines under the headings of their groups, ready to be shown."""
    found = list(entries)
    shown: list[str] = []
    for group in Group:
        lines = sorted(line for kind, line in found if kind is group)
        if lines:
            shown.append(f"  {group.value}")
            shown.extend(f"    {line}" for line in lines)
    return shown


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names in a row, the first few in full."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
