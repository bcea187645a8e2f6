"""Round trips, commits and queries of one booking, counted by a proxy and by PostgreSQL.

They are the difference between many and few bookings, divided by the number of additional bookings. So the costs of a
process, such as its connection, cancel out. The targets are one round trip and one commit.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from bench import databases
from bench.booking import booking_worker, wire_tap
from bench.figures import Row, against, alone
from bench.runs import MeasurementFailed, Run, step

EVENTS = 20
FEW, MANY = 10, 60
RUNS = 3
CUSTOMERS = RUNS * (booking_worker.customers_needed(FEW) + booking_worker.customers_needed(MANY))
QUIET_SECONDS_MAX = 10

Book = Callable[[str, int, int], None]
"""Books at the database of a URL: a number of bookings and a fifth more to warm up, from this customer on."""


@dataclass(frozen=True, slots=True)
class Count:
    """The totals of some bookings, including the other work of their process."""

    bookings: int
    round_trips: int
    commits: int
    queries: int

    def per_booking(self, fewer: "Count") -> tuple[float, float, float]:
        """Return round trips, commits and queries of one additional booking. Work that is done once cancels out."""
        more = self.bookings - fewer.bookings
        return (
            (self.round_trips - fewer.round_trips) / more,
            (self.commits - fewer.commits) / more,
            (self.queries - fewer.queries) / more,
        )


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `roundtrips` and `commits`, whose targets are one each, and `queries`."""
    del run  # it takes only seconds
    database = factory.create("counting", customers=CUSTOMERS, events=EVENTS)
    with step(f"roundtrips, commits: {RUNS} times {FEW} and {MANY} bookings through a counting proxy"):
        counts = count(factory, database, _book)
    yield against("roundtrips", "per booking", [each for each, _, _ in counts], 1)
    yield against("commits", "per booking", [each for _, each, _ in counts], 1)
    yield alone("queries", "per booking", [each for _, _, each in counts])
    factory.drop(database)


def count(factory: databases.Factory, database: databases.Database, book: Book) -> list[tuple[float, float, float]]:
    """Return round trips, commits and queries of one booking, RUNS times. The database must have CUSTOMERS."""
    each = booking_worker.customers_needed(FEW) + booking_worker.customers_needed(MANY)
    counts = []
    # Autovacuum commits too.
    with psycopg.connect(factory.server.url(), autocommit=True) as connection:
        connection.execute("alter system set autovacuum = off")
        connection.execute("select pg_reload_conf()")
        for number in range(RUNS):
            fewer = _count(connection, database, book, FEW, number * each)
            more = _count(connection, database, book, MANY, number * each + booking_worker.customers_needed(FEW))
            counts.append(more.per_booking(fewer))
        connection.execute("alter system reset autovacuum")
        connection.execute("select pg_reload_conf()")
    return counts


def _book(url: str, bookings: int, first: int) -> None:
    booking_worker.book(url, bookings=bookings, first=first, events=EVENTS)


def _count(
    connection: psycopg.Connection[tuple[object, ...]],
    database: databases.Database,
    book: Book,
    bookings: int,
    first: int,
) -> Count:
    before = _commits(connection, database.name)
    with wire_tap.listen(database.api) as tap:
        book(tap.url, bookings, first)
    return Count(
        bookings=booking_worker.customers_needed(bookings),
        round_trips=tap.line.round_trips,
        commits=_commits(connection, database.name) - before,
        queries=sum(len(wire_tap.statements(string)) for string in tap.strings()),
    )


def _commits(connection: psycopg.Connection[tuple[object, ...]], name: str) -> int:
    """Return the commits in a database so far, once all backends have ended and so have reported their commits."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while connection.execute("select from pg_stat_activity where datname = %s", [name]).fetchone() is not None:
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"Another session stays connected to {name}, so its commits cannot be separated.")
        time.sleep(0.05)
    row = connection.execute("select xact_commit from pg_stat_database where datname = %s", [name]).fetchone()
    if row is None or not isinstance(row[0], int):
        raise MeasurementFailed(f"There is no count of commits in {name}.")
    return row[0]
