"""Times in requests: one parser for bodies, queries and cursors."""

import ast
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from marquee.core import timestamps
from marquee.core.models import Day, Moment

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]

OTHER_PARSERS = {
    "layers/domain/marquee/core/timestamps.py": "the parser",
    "layers/domain/marquee/operations/legacy_import.py": "exports of an earlier system, rejected value by value",
    "layers/domain/marquee/payments/invoice_pages.py": "invoice lines in the format of the database",
    "layers/domain/marquee/messaging/texts.py": "message payloads in the format of the database",
    "layers/domain/marquee/scheduling/rules.py": "RFC 5545 rules, which have a format of their own",
}
"""Modules that read a date or a time from a text, and why."""


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-01-31T18:00:00Z", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("2030-01-31t18:00:00z", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("2030-01-31T18:00:00.5+14:00", datetime(2030, 1, 31, 4, 0, 0, 500_000, tzinfo=UTC)),
        ("2030-01-31T18:00:00-14:00", datetime(2030, 2, 1, 8, tzinfo=UTC)),
        ("2030-01-31T18:00:00+05:45", datetime(2030, 1, 31, 12, 15, tzinfo=UTC)),
        ("2030-01-31T18:00:00-00:00", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("0001-01-02T00:00:00Z", datetime(1, 1, 2, tzinfo=UTC)),
        ("9999-12-30T23:59:59.999999Z", datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_time_with_an_offset_is_read_as_its_instant(text, instant):
    assert timestamps.parse_time(text) == instant
    assert TypeAdapter(Moment).validate_python(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T18:00:00", "2030-01-31T18:00Z", "2030-01-31 18:00:00Z", "2030-01-31", "20300131T180000Z",
        "2030-01-31T24:00:00Z", "2030-01-31T23:59:60Z", "2030-01-31T18:60:00Z", "2030-02-30T18:00:00Z",
        "2030-13-01T18:00:00Z", "2030-00-10T18:00:00Z", "2030-01-31T18:00:00+14:01", "2030-01-31T18:00:00+16:00",
        "2030-01-31T18:00:00-15:59", "2030-01-31T18:00:00+24:00", "2030-01-31T18:00:00+05:60",
        "2030-01-31T18:00:00+0530", "2030-01-31T18:00:00+05:30:15", "2030-01-31T18:00:00.1234567Z",
        "2030-01-31T18:00:00.Z", "0000-01-01T00:00:00Z", "0001-01-01T23:59:59Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T00:00:00Z", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "-2030-01-01T00:00:00Z",
        "2030-W05-4T18:00:00Z", "\u0662030-01-31T18:00:00Z", "2030-01-31T18:00:00Z\n", "1900000000", "infinity",
        "now", "epoch", "",
    ],
)  # fmt: skip
def test_invalid_time_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        timestamps.parse_time(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(text)


@pytest.mark.parametrize(
    "value", [None, 1_900_000_000, 1.5, True, b"2030-01-31T18:00:00Z", ["2030"], date(2030, 1, 31)]
)
def test_time_that_is_not_text_is_refused(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(value)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones()))
def test_instant_within_the_bounds_survives_formatting_and_parsing(at):
    instant = at.astimezone(UTC)

    assert timestamps.parse_time(instant.isoformat()) == instant


@pytest.mark.parametrize(
    "text", ["2030-02-30", "1969-12-31", "2200-01-01", "0001-01-01", "9999-12-31", "2030-1-1", "2030-W01-1", "20300101",
             "2030-01-31T00:00:00Z", "\u0662030-01-31", "2030-01-31\n", "today", ""],
)  # fmt: skip
def test_invalid_date_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(text)


def test_date_is_parsed():
    assert TypeAdapter(Day).validate_python("2199-12-31") == date(2199, 12, 31)


def test_no_other_module_parses_times():
    reading = {"fromisoformat", "strptime", "parsedate_to_datetime"}
    found = {
        str(path.relative_to(ROOT))
        for folder in ("layers/domain", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in reading
    }

    assert found == OTHER_PARSERS.keys(), "Parse times with core.timestamps, or give the reason in OTHER_PARSERS."
