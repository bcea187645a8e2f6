"""A file of SQL: its text, its execution, and its errors with their lines."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


class MigrationError(Exception):
    """The database could not be migrated and is unchanged. The message says where and why."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A file below the folder of SQL; `path` is its path from there, with forward slashes."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """Return the path without subject folders, so that a file keeps its name when it moves to another subject."""
        return without_subjects(self.path)

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def without_subjects(path: str) -> str:
    """Return routines/<schema>/<name>.sql for routines/<schema>/<subject>/<name>.sql; likewise for views."""
    kind, *rest = path.split("/")
    return f"{kind}/{rest[0]}/{rest[-1]}" if kind in {"routines", "views"} and len(rest) > 2 else path


def read(folder: Path, paths: list[Path]) -> list[SqlFile]:
    """Read the files, and name them from the folder."""
    return [SqlFile(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def execute(connection: psycopg.Connection[Any], file: SqlFile) -> None:
    """Run all statements of the file. Raises psycopg.Error."""
    # Client-side, because the extended protocol does not accept several statements at once.
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(file.text.encode())


def failure(file: SqlFile, error: psycopg.Error) -> MigrationError:
    """Return PostgreSQL's error in the file, with its line and text if they are known."""
    where, line = file.path, None
    if error.diag.statement_position:
        number = file.text.count("\n", 0, int(error.diag.statement_position) - 1) + 1
        where, line = f"{file.path}:{number}", f"in: {file.text.splitlines()[number - 1].strip()}"
    said = [error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint, line]
    context = (error.diag.context or "").splitlines()[:2]
    return MigrationError("\n    ".join([where, *(part for part in said if part), *context]))
