"""Ratings: batches against processing per item, ingestion, the time from vote to score, and accuracy."""

from collections.abc import Iterator

from bench import databases
from bench.figures import Row, Target
from bench.ratings import accuracy, batches, end_to_end, ingest
from bench.runs import Run

TARGETS = {
    "statements_per_batch": Target(at_most=1),
    "per_item_pattern": Target(at_least=50),
    "events_s_10000": Target(at_least=1),
    "ingest_bulk_s": Target(at_least=1),
    "ingest_single_s": Target(at_least=1),
    "end_to_end_p95_s": Target(at_most=1),
    **accuracy.TARGETS,
}


def rows(run: Run) -> Iterator[Row]:
    """Measure all rows of the part, one after the other."""
    with run.server() as server:
        factory = databases.Factory(server)
        yield from batches.rows(run, factory)
        yield from ingest.rows(run, factory)
        yield from end_to_end.rows(run, factory)
    yield from accuracy.rows(run)
