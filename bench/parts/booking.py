"""The booking: the routine in the database, the handler, HTTP, growth, start-up, search, round trips."""

from collections.abc import Iterator

from bench import stage
from bench.booking import growth, handler, round_trips, routine, search, startup, web
from bench.measurements import Row, Target
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
    """Measure all of the part's rows, one after the other."""
    with run.server() as server:
        made = stage.Stage(server)
        yield from routine.rows(run, made)
        yield from handler.rows(run, made)
        yield from web.rows(run, made)
        yield from growth.rows(run, made)
        yield from search.rows(run, made)
        yield from round_trips.rows(run, made)
    yield from startup.rows(run)
