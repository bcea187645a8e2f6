"""Money: transfers in the ledger."""

from collections.abc import Iterator

from bench import stage
from bench.measuring import Row, Target
from bench.money import ledger
from bench.running import Run

TARGETS = {
    "ledger_hot": Target(at_least=1.5),
    "ledger_batch50": Target(at_least=5),
}


def rows(run: Run) -> Iterator[Row]:
    """Measure all of the part's rows, one after the other."""
    with run.server() as server:
        made = stage.Stage(server)
        yield from ledger.rows(run, made)
