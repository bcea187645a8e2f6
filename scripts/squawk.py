"""Lints the migrations with squawk: later ones as changes to tables with traffic, the first ones as a new schema."""

import subprocess
from pathlib import Path

# Earlier ones were never deployed, so their locks cannot block anyone.
FIRST_WITH_TRAFFIC = 100

# Not checked, because this project has its own rules.
HOUSE = [
    "ban-char-field",  # currency char(3), country char(2): standards with that many letters
    "prefer-bigint-over-int",  # counts of seats, minutes, days
    "prefer-bigint-over-smallint",
    "prefer-text-field",  # varchar where the seeds name it
    "prefer-timestamp-tz",  # local times carry their zone beside them
    "require-timeout-settings",  # the runner sets them for all
]
# Not checked in a new schema, because it has no rows to lock and no clients that use dropped objects.
BEGINNING = [
    "adding-foreign-key-constraint",
    "ban-create-domain-with-constraint",
    "ban-drop-constraint",
    "ban-drop-function",
    "ban-drop-view",
    "ban-drop-not-null",
    "constraint-missing-not-valid",
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
]


def main() -> int:
    """Return squawk's status."""
    paths = sorted(Path("sql/migrations").glob("*.sql"))
    beginning = [str(path) for path in paths if int(path.name[:4]) < FIRST_WITH_TRAFFIC]
    later = [str(path) for path in paths if int(path.name[:4]) >= FIRST_WITH_TRAFFIC]
    status = 0
    for files, excluded in ((beginning, [*HOUSE, *BEGINNING]), (later, HOUSE)):
        if files:
            command = [".venv/bin/squawk", "--assume-in-transaction", "--exclude", ",".join(excluded), *files]
            status |= subprocess.run(command, check=False).returncode
    return status


if __name__ == "__main__":
    raise SystemExit(main())
