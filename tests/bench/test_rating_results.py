"""The results of the part `ratings` are committed and documented; its events and its pattern are what the page says."""

import contextlib
from pathlib import Path

import pytest

from bench import report
from bench.parts import ratings
from bench.ratings import batches, dataset, ingest_worker, per_item

pytestmark = pytest.mark.usefixtures("sockets_off")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate" / "benchmarks.md"


def test_the_committed_results_have_every_target_and_every_row_is_documented() -> None:
    described, rows = report.read(report.RESULTS / "ratings.json")
    named = [row.name for row in rows if not row.name.startswith("accuracy_")]

    assert ratings.TARGETS.keys() <= {row.name for row in rows}
    assert [name for name in named if f"| `{name}` |" not in PAGE.read_text()] == []
    assert report.table(described, rows, ratings.TARGETS) in report.PAGE.read_text()


def test_an_item_has_as_many_events_as_the_page_says() -> None:
    assert dataset.VOTE_SIDES + dataset.SLIDERS + dataset.FIRES == dataset.EVENTS_PER_ITEM == 20


def test_claims_and_ends_of_transactions_are_no_statements() -> None:
    sent = ["begin", "select ops.act_as('{}')", "select rating.take_events()", "commit", ""]

    assert [text for text in sent if batches._is_query(text)] == ["select rating.take_events()"]


def test_votes_of_the_benchmark_are_the_same_in_every_run_and_none_is_like_the_other() -> None:
    first, again, other = (ingest_worker._request(50, name)["body"] for name in ("a-1", "a-1", "a-2"))

    assert first == again != other
    assert first.count('"key"') == 50


def test_the_pattern_counts_its_statements() -> None:
    worker = per_item.Worker(lambda _query, _values: [], contextlib.nullcontext)
    worker.work()

    assert worker.statements == 1
