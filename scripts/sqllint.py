"""Lint SQL files with sqlfluff and the settings of .sqlfluff.

The command `sqlfluff lint` builds its dialect and its rules again for each file, which takes longer than a usual
routine. Here all files share them. Clean files are remembered by hash in .sqlfluff_cache, and skipped until they, the
settings or sqlfluff change. Landed migrations are skipped too, because they cannot be edited.
"""

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

from sqlfluff.core import FluffConfig, Linter

from scripts.prose import is_landed

SETTINGS = Path(".sqlfluff")
CACHE = Path(".sqlfluff_cache")


def files_in(folders: list[str]) -> list[Path]:
    """Return the SQL files of the folders that can be edited."""
    return [path for folder in folders for path in sorted(Path(folder).rglob("*.sql")) if not is_landed(path)]


def digest(path: Path) -> str:
    """Return a hash of everything that decides whether a file is clean: its text, the settings and the version."""
    parts = (version("sqlfluff").encode(), SETTINGS.read_bytes(), path.read_bytes())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def faults(paths: list[Path]) -> dict[Path, list[str]]:
    """Return each file's violations, as lines that editors can jump to."""
    linter = Linter(config=FluffConfig.from_root())
    rules = linter.get_rulepack()
    found = {}
    for path in paths:
        parsed = linter.parse_string(path.read_text(), fname=str(path))
        violations = linter.lint_parsed(parsed, rules).get_violations()
        found[path] = [
            f"{path}:{each.line_no}:{each.line_pos}: {each.rule_code()} {each.desc()}" for each in violations
        ]
    return found


def main(folders: list[str], cache: Path = CACHE) -> int:
    """Print the violations of all files in the folders. Returns 1 if there are any."""
    digests = {path: digest(path) for path in files_in(folders)}
    clean = set(cache.read_text().split()) if cache.exists() else set()
    found = faults([path for path, each in digests.items() if each not in clean])
    for lines in found.values():
        for line in lines:
            print(line)
    cache.write_text("".join(f"{each}\n" for path, each in digests.items() if not found.get(path)))
    count = sum(len(lines) for lines in found.values())
    print(f"{count} violations in {len(digests)} files.")
    return min(count, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
