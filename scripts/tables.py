"""Write a generated table or list into a page of the documentation, between two comments, or compare it."""

import argparse
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def filled(text: str, name: str, table: str) -> str:
    """Return a page with the table between its comments. Raises LookupError where they are missing."""
    begin, end = f"<!-- {name}: written by make {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise LookupError(f"The page needs the lines {begin.strip()} and {end.strip()}.")
    return f"{before}{begin}{table}{end}{after}"


def run(name: str, page: Path, table: Callable[[], str], about: str | None) -> int:
    """Write the table of a script, or compare it with --check; return the process's exit status."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    shown = page.relative_to(ROOT)
    parser.add_argument("--check", action="store_true", help=f"fail if {shown} is not up to date")
    check = parser.parse_args().check
    old = page.read_text()
    new = filled(old, name, table())
    if not check:
        page.write_text(new)
    elif new != old:
        print(f"The {name} in {shown} are not up to date: run `make {name}`.")
        return 1
    return 0
