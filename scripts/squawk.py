"""Lints the migrations with squawk: the later ones as changes to tables with traffic, the first ones as a beginning."""

import subprocess
from pathlib import Path

# Up to this one nothing has ever been deployed, so that no lock of theirs can be in anybody's way.
FIRST_WITH_TRAFFIC = 100

# Not asked, because the house writes it otherwise.
HOUSE = [
    "ban-char-field",  # currency char(3), country char(2): standards with that many letters
    "prefer-bigint-over-int",  # counts of seats, minutes, days
    "prefer-bigint-over-smallint",
    "prefer-text-field",  # varchar where the seeds name it
    "prefer-timestamp-tz",  # local times carry their zone beside them
    "require-timeout-settings",  # the runner sets them for all
]
# Not asked of the beginning, for there are no rows yet to be locked and no clients that lean on what is dropped.
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
    """Answers squawk's status."""
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
