"""Run actions of many people at once, each on its own thread and connection."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg

from marquee.core import database
from tests.kit import routines
from tests.kit.databases import Connect

Person = TypeVar("Person")

WAITING = """
select from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like %s
"""


class InBackground(threading.Thread):
    """An action on another connection. A refusal becomes its code, and any other error is raised."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self.act, self.result, self.error = act, None, None
        self.start()

    def run(self) -> None:
        """Run the action in the thread."""
        try:
            self.result = self.act()
        except psycopg.Error as error:
            self.error = error
        finally:
            database.disconnect()  # disconnects this thread

    def got(self) -> Any:
        """Return the result or the code of the refusal."""
        self.join(60)
        if self.error is None or not str(self.error.sqlstate).startswith("PT"):
            assert self.error is None, self.error
            return self.result
        return routines.code_of(self.error)


def wait_for_a_lock(db: psycopg.Connection[Any], query: str) -> None:
    """Wait until a connection that runs a matching statement waits for a lock."""
    until = time.monotonic() + 30
    while not db.execute(WAITING, [query]).fetchall():
        assert time.monotonic() < until
        time.sleep(0.01)


def run_together(connect: Connect, people: Sequence[Person], act: Callable[[Any, Person], Any]) -> list[Any]:
    """Run an action for all people at the same time, each on its own connection. Return the results in order.

    A refusal becomes its code. Any other database error is raised, so that no fault passes as a refusal.
    """
    connections = [connect() for _ in people]
    start = threading.Barrier(len(people))
    results: list[Any] = [None] * len(people)

    def run(number: int) -> None:
        start.wait(30)
        try:
            results[number] = act(connections[number], people[number])
        except psycopg.Error as error:
            refused = error.sqlstate is not None and error.sqlstate.startswith("PT")
            results[number] = routines.code_of(error) if refused else error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for connection in connections:
        connect.give_back(connection)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def outcomes(results: Sequence[Any]) -> Counter[str]:
    """Count the outcomes: `booked`, or the code of a refusal."""
    return Counter(result if isinstance(result, str) else "booked" for result in results)


def delay_statements(db: psycopg.Connection[Any], seed: int = 1, schema: str = "events") -> int:
    """Add a random delay before every statement of a schema's routines, and return the number of statements.

    This includes statements in branches and loops, because counting triggers have no others. The routines are
    rewritten only in this test's database. Code that is correct only by lucky timing then fails. The connection `db`
    itself is not delayed: it prepares the rows that the others compete for, and looks at the result.
    """
    db.execute("select set_config('tests.delays', 'off', false)")
    statements = 0
    chance = random.Random(seed)
    rows = db.execute(
        """
        select p.oid, pg_get_functiondef(p.oid) as definition
        from pg_proc as p
        inner join pg_language as l on l.oid = p.prolang
        where
            p.pronamespace = %s::regnamespace
            and l.lanname = 'plpgsql'
            and p.prokind = 'f'
            and p.provolatile = 'v'
        """,
        [schema],
    ).fetchall()
    for row in rows:
        delayed: list[str] = []
        for line, separate in _statements(row["definition"]):
            if separate:
                wait = chance.uniform(0, 0.008)
                # An expression, because a statement would set FOUND, which the next line may read.
                delayed.append(
                    "if pg_catalog.current_setting('tests.delays', true) is distinct from 'off'"
                    f" and pg_catalog.pg_sleep({wait:.4f} * pg_catalog.random()) is null then end if;"
                )
                statements += 1
            delayed.append(line)
        db.execute("\n".join(delayed))
    return statements


def _statements(definition: str) -> list[tuple[str, bool]]:
    """Split a routine into lines, each with whether a statement can precede it.

    A statement can follow `;` and the start of a block, also inside branches and loops. `then` and `else` are also
    words of SQL. They start a block only in a statement that started with `if`, `elsif` or `else`.
    """
    lines: list[tuple[str, bool]] = []
    in_body = between = False
    opening = ""  # the first word of the current statement
    for line in definition.split("\n"):
        code = line.split("--")[0].strip()
        if not code or code.startswith("$"):
            lines.append((line, False))
            continue
        lines.append((line, in_body and between))
        if between:
            opening = code.split()[0]
        if code in ("declare", "begin"):
            in_body = code == "begin"
        between = (
            code.endswith(";")
            or code in ("begin", "loop")
            or (code == "else" and opening == "else")
            or (code.endswith("then") and opening in ("if", "elsif") and (code == "then" or code.startswith(opening)))
            or (code.endswith(" loop") and opening in ("for", "foreach", "while"))
        )
    return lines
