"""Lints the migrations with squawk: the later ones as changes to tables with traffic, the first ones as a beginning."""

import subprocess
from pathlib import Path

# Up to this one nothing has ever been deployed, so that no lock of theirs can be in anybody's way.
FIRST_WITH_TRAFFIC = 100

STYLE = [
    "prefer-text-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "require-timeout-settings",
    "ban-char-field",
    "prefer-identity",
    "prefer-timestamp-tz",
]
BEGINNING = [
    "ban-create-domain-with-constraint",
    "require-concurrent-index-creation",
    "adding-foreign-key-constraint",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "adding-required-field",
    "adding-not-nullable-field",
    "ban-drop-column",
    "ban-drop-table",
    "ban-drop-not-null",
    "changing-column-type",
    "renaming-column",
    "adding-field-with-default",
]


def main() -> int:
    """Answers squawk's status."""
    paths = sorted(Path("sql/migrations").glob("*.sql"))
    beginning = [str(path) for path in paths if int(path.name[:4]) < FIRST_WITH_TRAFFIC]
    later = [str(path) for path in paths if int(path.name[:4]) >= FIRST_WITH_TRAFFIC]
    status = 0
    for files, excluded in ((beginning, [*STYLE, *BEGINNING]), (later, STYLE)):
        if files:
            command = [".venv/bin/squawk", "--assume-in-transaction", "--exclude", ",".join(excluded), *files]
            status |= subprocess.run(command, check=False).returncode
    return status


if __name__ == "__main__":
    raise SystemExit(main())
