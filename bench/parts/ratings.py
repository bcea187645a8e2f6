"""Ratings: batches beside the pattern per item, votes coming in, from vote to score, near the truth."""

from collections.abc import Iterator

from bench import stage
from bench.measurements import Row, Target
from bench.ratings import accuracy, batches, end_to_end, ingestion
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
    """Measure all of the part's rows, one after the other."""
    with run.server() as server:
        made = stage.Stage(server)
        yield from batches.rows(run, made)
        yield from ingestion.rows(run, made)
        yield from end_to_end.rows(run, made)
    yield from accuracy.rows(run)
