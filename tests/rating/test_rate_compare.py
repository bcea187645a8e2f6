"""`make rate-compare` rates the same events with both models, also from a CSV file, and reports invalid votes."""

import csv
import re

import numpy as np
import pytest

from scripts import rate_compare, rate_events, rate_plot

pytestmark = pytest.mark.usefixtures("sockets_off")

HEADER = "voter_id,item_a,item_b,winner,kind\n"


@pytest.fixture
def votes(tmp_path):
    """Write the votes of forty raters on four items; the first item always wins and the last never does."""
    file = tmp_path / "votes.csv"
    pairs = [(a, b) for place, a in enumerate("wxyz") for b in "wxyz"[place + 1 :]]
    lines = [f"v{number},{a},{b},{a},normal\n" for number in range(40) for a, b in pairs]
    file.write_text(HEADER + "".join(lines))
    return file


def test_both_models_rate_the_votes_of_a_file(votes):
    found = rate_events.given(str(votes))
    bayes, elo = (rate_compare._rated(name, found) for name in ("bayes", "elo"))

    for scores in (bayes, elo):
        assert found.items == ["w", "x", "y", "z"]
        assert np.all(np.diff(scores.mean) < 0)
    text = "\n".join(rate_compare.told(found, rate_compare.Compared(bayes, elo, rate_compare._votes_of(found))))
    assert "4 items, 40 raters: 240 votes, 0 sliders, 0 fires" in text
    assert re.search(r"of their places +1\.000", text)


def test_simulated_tournament_is_compared_with_the_truth():
    found = rate_events.given("")
    bayes = rate_compare._rated("bayes", found)

    assert found.truth is not None
    assert rate_compare._by_place(bayes.mean, found.truth) > 0.85


def test_difference_is_plotted(votes, tmp_path):
    found = rate_events.given(str(votes))
    bayes, elo = (rate_compare._rated(name, found) for name in ("bayes", "elo"))

    rate_plot.plot(tmp_path / "compared.png", found.title, elo, bayes, np.arange(4.0))

    assert (tmp_path / "compared.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("voter_id,item_a,item_b\n", "no column winner"),
        (HEADER + "v,a,b,a,normal\nv,a,b,c,normal\n", "line 3"),
        (HEADER + "v,a,a,a,normal\n", "line 2"),
        (HEADER + "v,a,b,a,mega\n", "line 2"),
        (HEADER + "v,a\n", "line 2"),
        (HEADER + ",a,b,a,normal\n", "line 2"),
        (HEADER, "there are none"),
    ],
)
def test_invalid_vote_is_reported_with_its_line(tmp_path, text, complaint):
    file = tmp_path / "votes.csv"
    file.write_text(text)

    with pytest.raises(rate_events.NothingToRate, match=complaint):
        rate_events.given(str(file))


@pytest.fixture
def short_fields():
    """Set a low limit for the whole process, and restore it."""
    before = csv.field_size_limit(1000)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("short_fields")
@pytest.mark.parametrize("content", [b"\xff\xfev\x00o\x00", HEADER.encode() + b"Ren\xe9,a,b,a,normal\n", b"x" * 1001])
def test_file_that_is_not_csv_is_reported(tmp_path, content):
    file = tmp_path / "votes.csv"
    file.write_bytes(content)

    with pytest.raises(rate_events.NothingToRate, match=r"votes\.csv is not a CSV file in UTF-8"):
        rate_events.given(str(file))
