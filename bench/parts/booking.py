"""The booking: the routine in the database, the handler, HTTP, growth, start-up, search, round trips."""

from collections.abc import Iterator

from bench import stage
from bench.booking import routine
from bench.measuring import Row, Target
from bench.running import Run

TARGETS = {
    "routine_uniform": Target(at_least=0.6),
    "routine_hot": Target(at_least=0.8),
}


def rows(run: Run) -> Iterator[Row]:
    """Measure all of the part's rows, one after the other."""
    with run.server() as server:
        made = stage.Stage(server)
        yield from routine.rows(run, made)
