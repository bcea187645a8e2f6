"""Delete the locale data of Babel that no message needs from a layer that `sam build` has built.

Run `python -m scripts.trim_layer .aws-sam/build/DependenciesLayer`. Babel's data of all languages is a third of the
layer. A locale inherits from its parents, so those stay: en_GB needs en_001, en and root.
"""

import ast
import sys
from pathlib import Path

LOCALES = Path("layers/domain/marquee/core/locales.py")


def needed(source: str, exceptions: dict[str, str]) -> set[str]:
    """Return the locales that a module's LOCALES names, with all their parents; `exceptions` are Babel's parents."""
    found = {"root"}
    for named in _named(source):
        locale = named
        while locale not in found:
            found.add(locale)
            locale = exceptions.get(locale) or locale.rpartition("_")[0] or "root"
    return found


def trim(folder: Path, kept: set[str]) -> int:
    """Delete the other locales below a folder. Return the bytes that this saves; raise FileNotFoundError for a gap."""
    saved = 0
    for data in sorted(folder.rglob("babel/locale-data")):
        files = {file.stem: file for file in data.glob("*.dat")}
        if not kept <= files.keys():
            raise FileNotFoundError(f"{data} lacks {sorted(kept - files.keys())}.")
        for name in files.keys() - kept:
            saved += files[name].stat().st_size
            files[name].unlink()
    return saved


def parents(folder: Path) -> dict[str, str]:
    """Return the parents that Babel's own data names, which are not made by shortening: en_GB is a kind of en_001."""
    import pickle

    for file in folder.rglob("babel/global.dat"):
        with file.open("rb") as opened:
            found: dict[str, str] = pickle.load(opened)["parent_exceptions"]  # noqa: S301 - a file of the pinned wheel
            return found
    return {}


def _named(source: str) -> list[str]:
    for statement in ast.parse(source).body:
        if (
            isinstance(statement, ast.AnnAssign)
            and getattr(statement.target, "id", "") == "LOCALES"
            and statement.value
        ):
            return list(ast.literal_eval(statement.value).values())
    raise LookupError("The module names no LOCALES.")


def main() -> None:
    """Trim the layer that the command line names."""
    layer = Path(sys.argv[1])
    saved = trim(layer, needed(LOCALES.read_text(), parents(layer)))
    print(f"Left out locale data of {saved / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
