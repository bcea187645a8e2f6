"""The results as a JSON file and as a Markdown table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Row, Target

RESULTS = Path(__file__).parent / "results"
PAGE = RESULTS / "README.md"
HEADINGS = ("row", "value", "floor", "ratio", "to reach", "reached", "spread", "runs")


def document(machine: Mapping[str, str | int | float], rows: Sequence[Row]) -> dict[str, Any]:
    """Return the content of a part's file of results."""
    return {"machine": dict(machine), "results": [row.document() for row in rows]}


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a part's results. An interrupted write leaves the old file as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    partial.replace(file)


def read(file: Path) -> tuple[dict[str, Any], list[Row]]:
    """Return a part's machine and rows from its file. Raises FileNotFoundError."""
    content = json.loads(file.read_text())
    return content["machine"], [Row(**row) for row in content["results"]]


def table(machine: Mapping[str, Any], rows: Sequence[Row], targets: Mapping[str, Target]) -> str:
    """Return the rows and the machine as Markdown."""
    lines = [_cells(row, targets.get(row.name)) for row in rows]
    widths = [max(len(cells[column]) for cells in [HEADINGS, *lines]) for column in range(len(HEADINGS))]
    shown = [HEADINGS, tuple("-" * width for width in widths), *lines]
    body = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        for cells in shown
    ]
    return "\n".join([*body, "", _sentence(machine)])


def renew(page: Path, part: str, shown: str) -> None:
    """Replace a part's table in a page of the documentation, if the page has a place for it."""
    start, end = f"<!-- results of {part} -->\n", "<!-- end of results -->"
    before, found, rest = page.read_text().partition(start)
    if found:
        page.write_text(f"{before}{start}\n{shown}\n\n{end}{rest.partition(end)[2]}")


def _cells(row: Row, target: Target | None) -> tuple[str, ...]:
    reached = "" if target is None or row.ratio is None else "yes" if target.reached(row.ratio) else "no"
    return (
        row.name,
        f"{row.value:g} {row.unit}",
        "" if row.floor is None else f"{row.floor:g} {row.unit}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if target is None else str(target),
        reached,
        f"{row.spread:.0%}",
        str(row.runs),
    )


def _sentence(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; "
        f"PostgreSQL {machine['postgresql']}, Python {machine['python']}."
    )
