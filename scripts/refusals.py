"""Write the list of refusals into docs/reference/api.md, from marquee.edge.refusals.

Run `python -m scripts.refusals` to write it, with `--check` to learn whether it is up to date.
"""

import re
import sys
from collections.abc import Mapping

from marquee.edge import refusals
from marquee.edge.refusals import Refusal
from scripts import tables

PAGE = tables.ROOT / "docs" / "reference" / "api.md"
CODES_IN_SENTENCE = 9
CODES_IN_ROW = 20


def listing(by_code: Mapping[str, Refusal] = refusals.BY_CODE) -> str:
    """Return the list in Markdown: by status, with one line for codes that differ in nothing else."""
    lines: dict[tuple[str, str], list[str]] = {}
    for code, refusal in sorted(by_code.items(), key=lambda item: (item[1].status, item[0])):
        status = ", ".join(str(status) for status in (refusal.status, *refusal.also))
        when = "; with ".join(filter(None, [refusal.when, members(refusal)]))
        lines.setdefault((status, when), []).append(f"`{code}`")
    return "".join(_line(status, codes, when) for (status, when), codes in lines.items())


def _line(status: str, codes: list[str], when: str) -> str:
    """Return the line of codes with one cause. Many codes have lines of their own, because a sentence is short."""
    if len(codes) <= CODES_IN_SENTENCE:
        return f"- {status} {', '.join(codes)}: {when}\n"
    rows = [", ".join(codes[first : first + CODES_IN_ROW]) for first in range(0, len(codes), CODES_IN_ROW)]
    return f"- {status}: {when}\n" + "".join(f"  - {row}\n" for row in rows)


def members(refusal: Refusal) -> str:
    """Return the members of a refusal's problem document: the described ones, and those in its sentence."""
    named = [f"`{name}`" for name in dict.fromkeys(re.findall(r"\{(\w+)\}", refusal.sentence))]
    return ", ".join(filter(None, [refusal.members, *(name for name in named if name not in refusal.members)]))


def main() -> int:
    """Write the list, or compare it; return the process's exit status."""
    return tables.run("refusals", PAGE, listing, __doc__)


if __name__ == "__main__":
    sys.exit(main())
