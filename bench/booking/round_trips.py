"""Round trips, commits and queries of a booking: counted, by the difference that more bookings make."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from bench import stage
from bench.booking import statement, worker
from bench.measurements import Row, against, alone
from bench.runs import Broken, Run, step

EVENTS = 20
FEW, MANY = 10, 60
RUNS = 3
CUSTOMERS = RUNS * (worker.customers_of(FEW) + worker.customers_of(MANY))
QUIET_SECONDS_MAX = 10

Book = Callable[[str, int, int], None]
"""Has a process book at the database of this URL: so many, and a fifth more to warm up, from this customer on."""


@dataclass(frozen=True, slots=True)
class Count:
    """What some bookings came to, with all that a process does besides."""

    bookings: int
    round_trips: int
    commits: int
    queries: int

    def per_booking(self, fewer: "Count") -> tuple[float, float, float]:
        """Round trips, commits and queries of one booking more; what is done once cancels out."""
        more = self.bookings - fewer.bookings
        return (
            (self.round_trips - fewer.round_trips) / more,
            (self.commits - fewer.commits) / more,
            (self.queries - fewer.queries) / more,
        )


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """roundtrips and commits, which are to be one each, and queries."""
    del run  # it takes seconds anyhow
    database = made.database("counting", customers=CUSTOMERS, events=EVENTS)
    with step(f"roundtrips, commits: {RUNS} times {FEW} and {MANY} bookings over a counted wire"):
        counts = counted(made, database, _book)
    yield against("roundtrips", "per booking", [each for each, _, _ in counts], 1)
    yield against("commits", "per booking", [each for _, each, _ in counts], 1)
    yield alone("queries", "per booking", [each for _, _, each in counts])
    made.drop(database)


def counted(made: stage.Stage, database: stage.Database, book: Book) -> list[tuple[float, float, float]]:
    """Round trips, commits and queries of one booking, RUNS times; the database has CUSTOMERS for it."""
    each = worker.customers_of(FEW) + worker.customers_of(MANY)
    counts = []
    # Whoever vacuums commits too.
    with psycopg.connect(made.server.url(), autocommit=True) as connection:
        connection.execute("alter system set autovacuum = off")
        connection.execute("select pg_reload_conf()")
        for number in range(RUNS):
            fewer = _count(connection, database, book, FEW, number * each)
            more = _count(connection, database, book, MANY, number * each + worker.customers_of(FEW))
            counts.append(more.per_booking(fewer))
        connection.execute("alter system reset autovacuum")
        connection.execute("select pg_reload_conf()")
    return counts


def _book(url: str, bookings: int, first: int) -> None:
    worker.booked(url, bookings=bookings, first=first, events=EVENTS)


def _count(
    connection: psycopg.Connection[tuple[object, ...]], database: stage.Database, book: Book, bookings: int, first: int
) -> Count:
    before = _commits(connection, database.name)
    with statement.tapped(database.api) as tap:
        book(tap.url, bookings, first)
    return Count(
        bookings=worker.customers_of(bookings),
        round_trips=tap.line.round_trips,
        commits=_commits(connection, database.name) - before,
        queries=sum(len(statement.statements(string)) for string in tap.strings()),
    )


def _commits(connection: psycopg.Connection[tuple[object, ...]], name: str) -> int:
    """Commits in a database so far; a backend that has gone has told of all of its own."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while connection.execute("select from pg_stat_activity where datname = %s", [name]).fetchone() is not None:
        if time.monotonic() > deadline:
            raise Broken(f"Somebody stays connected to {name}, so its commits cannot be told apart.")
        time.sleep(0.05)
    row = connection.execute("select xact_commit from pg_stat_database where datname = %s", [name]).fetchone()
    if row is None or not isinstance(row[0], int):
        raise Broken(f"There is no count of commits in {name}.")
    return row[0]
