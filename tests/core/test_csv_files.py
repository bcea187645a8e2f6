"""Files for spreadsheets: cells that would run as formulas are texts, and numbers and times stay as they are."""

import csv
import io
from datetime import UTC, datetime

import pytest

from marquee.core import csv_files

pytestmark = pytest.mark.usefixtures("sockets_off")


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_would_be_a_formula_gets_an_apostrophe(start):
    text = csv_files.write(["name"], [{"name": f"{start}cmd|'/C calc'!A1"}])

    assert read(text) == [{"name": f"'{start}cmd|'/C calc'!A1"}]


def test_other_texts_numbers_and_times_stay_as_they_are():
    row = {"name": 'Ana, "B"\nC = 1', "cents": -500, "guest": True, "at": datetime(2031, 1, 2, tzinfo=UTC), "no": None}

    (read_row,) = read(csv_files.write(list(row), [{**row, "left_out": 1}]))

    assert read_row == {**row, "cents": "-500", "guest": "yes", "at": "2031-01-02T00:00:00+00:00", "no": ""}
