"""Try to read and write each relation as each audience, and record the successes.

Every attempt is real. It runs in a transaction of the role's login, as the person set by ops.act_as, and a savepoint
rolls it back.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from marquee.core.settings import LOGINS, Login
from tests.kit.walk.catalog import Relation
from tests.kit.walk.world import AUDIENCES, Audience, Row, World

OPERATIONS = ("select", "insert", "update", "delete")
UNSEEN = "(rows that it cannot read)"

Managed = frozenset[str] | None
"""The keys of the rows that an operation reached, or could add a copy of. None means that it was denied."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The results of a walk by relation, audience and operation."""

    managed: dict[tuple[str, str, str], Managed] = field(default_factory=dict)


LogIn = Callable[[Login], AbstractContextManager[psycopg.Connection[Any]]]
"""Returns the connection of a login, in a transaction or before its start."""


def walk(log_in: LogIn, world: World, relations: list[Relation]) -> Walk:
    """Try every operation and roll it back."""
    found = Walk()
    for audience in AUDIENCES:
        with (
            log_in(LOGINS[audience.role]) as connection,
            psycopg.ClientCursor(connection, row_factory=tuple_row) as cursor,
        ):
            cursor.execute("savepoint audience; select ops.act_as(%s::jsonb); savepoint attempt", [audience.claims()])
            for relation in relations:
                rows = world.rows[relation.parent or relation.name]
                for operation in OPERATIONS:
                    managed = _Tries(cursor, relation, rows, audience).try_to(operation)
                    found.managed[relation.name, audience.name, operation] = managed
            cursor.execute("rollback to savepoint audience; release savepoint audience")
    return found


def by_url(url_of: Callable[[Login], str]) -> LogIn:
    """Log in by the URL of each login, and roll back afterwards."""

    @contextmanager
    def log_in(login: Login) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(url_of(login)) as connection:
            yield connection
            connection.rollback()

    return log_in


@dataclass(frozen=True, slots=True)
class _Tries:
    cursor: psycopg.ClientCursor[Any]
    relation: Relation
    rows: list[Row]
    audience: Audience

    def try_to(self, operation: str) -> Managed:
        if operation == "select":
            state = self._attempt(f"select {self.relation.key()} from {self.relation.name} as t")
            return None if state == "42501" else frozenset(key for (key,) in self.cursor.fetchall())
        state = self._write(operation, None)
        granted = f"{self.audience.role} {operation}" in self.relation.granted
        if state == "42501" and not (granted and self.rows):
            return None
        whole = self.cursor.rowcount if state == "" else None
        reached = frozenset(row.key for row in self.rows if self._reaches(operation, row))
        if operation == "insert":
            return reached if reached or not self.rows else None
        return reached if whole is None or whole == len(reached) else reached | {UNSEEN}

    def _reaches(self, operation: str, row: Row) -> bool:
        """Return whether the audience may write this row. A constraint or a trigger may still stop the attempt."""
        state = self._write(operation, row)
        return state != "42501" and (state != "" or self.cursor.rowcount > 0)

    def _write(self, operation: str, row: Row | None) -> str:
        """Write one row, or all reachable rows without one. An insert copies any row."""
        name, where, params = self.relation.name, "", []
        if operation == "insert":
            columns = ", ".join(f'"{c}"' for c in self.relation.columns if c not in self.relation.generated)
            copied = row or next(iter(self.rows), None)
            return self._attempt(
                f"insert into {name} ({columns}) overriding system value "
                f"select {columns} from jsonb_populate_record(null::{name}, %s)",
                [Jsonb(copied.columns if copied else {})],
            )
        if row is not None:
            where, params = f" where {self.relation.key()} = %s", [row.key]
        if operation == "delete":
            return self._attempt(f"delete from {name} as t{where}", params)
        settable = [f'"{c}" = t."{c}"' for c in self.relation.columns if c not in self.relation.computed]
        return self._attempt(f"update {name} as t set {', '.join(settable)}{where}", params)

    def _attempt(self, statement: str, params: list[Any] | None = None) -> str:
        """Run an attempt after rolling back the previous one. Return the SQLSTATE that stopped it, or nothing."""
        try:
            self.cursor.execute("rollback to savepoint attempt; " + statement, params or None)
        except psycopg.Error as error:
            state = error.sqlstate or ""
            if state != "42501" and not state.startswith(("23", "PT")):
                raise
            return state
        while self.cursor.nextset():
            pass
        return ""
