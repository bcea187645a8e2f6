"""The results of the part `ratings` are committed and documented, and its events match the page."""

import contextlib
from pathlib import Path

import pytest

from bench import report
from bench.parts import ratings
from bench.ratings import batches, dataset, ingest_worker, per_item

pytestmark = pytest.mark.usefixtures("sockets_off")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate" / "benchmarks.md"


def test_committed_results_have_every_target_and_each_row_is_documented() -> None:
    described, rows = report.read(report.RESULTS / "ratings.json")
    named = [row.name for row in rows if not row.name.startswith("accuracy_")]

    assert ratings.TARGETS.keys() <= {row.name for row in rows}
    assert [name for name in named if f"- `{name}`" not in PAGE.read_text()] == []
    assert report.table(described, rows, ratings.TARGETS) in report.PAGE.read_text()


def test_item_has_as_many_events_as_the_page_says() -> None:
    assert dataset.VOTE_SIDES + dataset.SLIDERS + dataset.FIRES == dataset.EVENTS_PER_ITEM == 20


def test_claims_and_transaction_control_are_not_counted_as_queries() -> None:
    sent = ["begin", "select ops.act_as('{}')", "select rating.take_events()", "commit", ""]

    assert [text for text in sent if batches._is_query(text)] == ["select rating.take_events()"]


def test_benchmark_votes_are_reproducible_and_differ_by_name() -> None:
    first, again, other = (ingest_worker._request(50, name)["body"] for name in ("a-1", "a-1", "a-2"))

    assert first == again != other
    assert first.count('"key"') == 50


def test_per_item_worker_counts_its_statements() -> None:
    worker = per_item.Worker(lambda _query, _values: [], contextlib.nullcontext)
    worker.work()

    assert worker.statements == 1
