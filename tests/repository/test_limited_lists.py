"""No figure is computed over a limited list: a total covers everything, and only lists have pages.

Each routine, view and function with a limited list and an aggregate has a line below that says why its figures are
whole, or why they are no figures.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
AGGREGATE = re.compile(r"\b(sum|count|avg|min|max|bool_and|bool_or)\s*\(", re.IGNORECASE)
LIMIT = re.compile(r"\blimit\s+(?!1\b)[\w$%(]|\bfetch\s+(?:first|next)\b", re.IGNORECASE)
PYTHON_LIMIT = re.compile(r"^\s*limit (?!1\b)[\w$%(]|\blimit %", re.MULTILINE)
PAGE = re.compile(r"paging\.page\(")
WORDS_MIN = 4

SQL_REASONS = {
    "events.customer_dashboard": "the figures read all bookings; only the lists of upcoming and waiting are limited",
    "events.frequent_prefixes": "estimates shares in a bounded sample; they choose how to read, not what is found",
    "events.hold_seats": "keeps the lowest prices, one for each held seat; the other figures read all holds",
    "events.instructor_schedule_v2": "the totals read all events of the days; only the page is limited",
    "events.mark_no_shows": "processes a batch; the next time of an event reads all its bookings",
    "events.match_listings": "counts the read rows only to see whether the limit cut them off; returns a page",
    "events.organization_day": "the numbers of an event read all its bookings; only the lists of the day are limited",
    "events.rank_few_listings": "counts up to the limit, and returns null instead of a list that was cut off",
    "events.search_listings": "returns a page; the aggregates put together its filters and its ids",
    "events.set_capacities": "the least capacity is a window over all events; only the examples are limited",
    "events.undo_unpaid_booking": "keeps the lowest prices, one for each seat; its sum reads all holds of the booking",
    "messaging.claim_webhook_deliveries": "leases a batch of a queue, and counts an endpoint's deliveries in flight",
    "messaging.send_reminders": "processes a batch, and counts the reminders of the batch",
    "ops.claim_outbox": "leases a batch of a queue, and returns its rows",
    "ops.complete_events": "processes a batch, and counts the events of the batch",
    "ops.collect_health_figures": "checks the counters of recent events, and lists the first late events",
    "ops.partition_states": "stops counting at 1000 rows, where the health check is critical, because all may be there",
    "organizations.list_customers": "returns a page; the aggregates put together its ids and their order",
    "payments.count_settlements": "adds a batch to a total that names the last row it includes",
    "payments.expire_credits": "processes a batch, and returns what the batch expired",
    "payments.seal_entries": "processes a batch, and counts the entries of the batch",
    "payments.verify_credits": "limits the findings; each finding compares sums over all rows of its wallet or lot",
    "rating.counted_sliders": "returns a page, with the number of rows that the page scanned",
    "rating.counted_votes": "returns a page, with the number of rows that the page scanned",
    "rating.get_pipeline_status": "the figures read all waiting items; only the list of batches is limited",
    "rating.read_calibration_input": "takes a bounded sample of items and voters, as calibration specifies",
}
"""Routines and views with a limited list and an aggregate, and why their figures are whole."""

PYTHON_REASONS = {
    "calendars.write_own_calendar": "a calendar lists bookings, and computes no figure",
    "calendars.write_series_calendar": "a calendar lists events, and computes no figure",
    "inbox.count_unread": "counts up to a most, which the API states and the reader sees as such",
    "legacy_import.load": "prints the first rejects; the numbers come from the import itself",
    "organizations.locations": "lists locations, and computes no figure",
    "scores.item": "the rank reads all scores; only the history is limited",
    "statements.as_csv": "refuses a period with more lines, and never returns a part",
    "wallets.read_wallet": "the balances sum all lots; only the list is limited",
}
"""Functions with a limited list that is no page of a list, and why they compute no figure over it."""


def sql_files() -> Iterator[tuple[str, str]]:
    """Yield the name and the statements of each routine and view."""
    for path in sorted((ROOT / "sql").glob("[rv]*/**/*.sql")):
        yield f"{path.relative_to(ROOT / 'sql').parts[1]}.{path.stem}", re.sub(r"--.*", "", path.read_text())


def functions() -> Iterator[tuple[str, str]]:
    """Yield the name and the source of each function with SQL."""
    for path in sorted([*ROOT.glob("layers/domain/marquee/**/*.py"), *ROOT.glob("functions/**/*.py")]):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.stem}.{node.name}", ast.get_source_segment(source, node) or ""


def test_sql_computes_no_figure_over_a_limited_list() -> None:
    found = {name for name, text in sql_files() if LIMIT.search(text) and AGGREGATE.search(text)}

    assert sorted(found ^ SQL_REASONS.keys()) == []


def test_python_computes_no_figure_over_a_limited_list() -> None:
    found = {name for name, text in functions() if PYTHON_LIMIT.search(text) and not PAGE.search(text)}

    assert sorted(found ^ PYTHON_REASONS.keys()) == []


@pytest.mark.parametrize("reasons", [SQL_REASONS, PYTHON_REASONS], ids=["sql", "python"])
def test_reasons_are_sentences(reasons: dict[str, str]) -> None:
    assert [name for name, reason in reasons.items() if len(reason.split()) < WORDS_MIN] == []


def test_limited_sum_is_found() -> None:
    """The schedule of an instructor once summed the first 500 events like this."""
    text = "select sum(s.seats) from (select v.* from events.events as v order by v.id limit most) as s"

    assert LIMIT.search(text)
    assert AGGREGATE.search(text)
    assert not LIMIT.search("select v.id from events.events as v order by v.id limit 1")
