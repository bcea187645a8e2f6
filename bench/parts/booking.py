"""Booking: the routine, the handler, HTTP, growth, search, round trips and imports."""

from collections.abc import Iterator

from bench import databases
from bench.booking import growth, handler, http_bookings, imports, round_trips, routine, search
from bench.figures import Row, Target
from bench.runs import Run

TARGETS = {
    "routine_uniform": Target(at_least=0.6),
    "routine_hot": Target(at_least=0.8),
    "handler": Target(at_least=1),
    "http_rps": Target(at_least=1),
    "http_p95_ms": Target(at_most=1),
    "growth": Target(at_most=1.2),
    "import_ms": Target(at_most=2),
    "search_ms": Target(at_most=1),
    "roundtrips": Target(at_most=1),
    "commits": Target(at_most=1),
}


def rows(run: Run) -> Iterator[Row]:
    """Measure all rows of the part, one after the other."""
    with run.server() as server:
        factory = databases.Factory(server)
        yield from routine.rows(run, factory)
        yield from handler.rows(run, factory)
        yield from http_bookings.rows(run, factory)
        yield from growth.rows(run, factory)
        yield from search.rows(run, factory)
        yield from round_trips.rows(run, factory)
    yield from imports.rows(run)
