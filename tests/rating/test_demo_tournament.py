"""The demo's tournament sends valid events, and its strengths and clickers match those events."""

import pytest

from demo.tournament import Tournament, rank_correlation
from marquee.rating.events import validate

pytestmark = pytest.mark.usefixtures("sockets_off")


@pytest.fixture
def tournament():
    return Tournament("test")


def test_demo_events_are_valid(tournament):
    events = tournament.round(3, 2)

    good, refused = validate(events)

    assert refused == []
    assert len(good) == len(events) == 5 * len(tournament.clickers)
    assert len({event["key"] for event in events}) == len(events)


def test_honest_raters_follow_the_strengths_and_clickers_a_coin(tournament):
    agreed = {True: [], False: []}
    for event in tournament.round(40, 0):
        better = max(event["item_a"], event["item_b"], key=tournament.strengths.__getitem__)
        agreed[tournament.clickers[event["voter_id"]]].append(event["winner"] == better)

    assert 0.68 < sum(agreed[False]) / len(agreed[False]) < 0.8
    assert 0.45 < sum(agreed[True]) / len(agreed[True]) < 0.55


def test_tournaments_have_separate_items_and_raters(tournament):
    other = Tournament("another")

    assert not tournament.strengths.keys() & other.strengths.keys()
    assert not tournament.clickers.keys() & other.clickers.keys()


def test_rank_correlation_of_known_orders():
    truth = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}

    assert rank_correlation(truth, {name: 10 * value for name, value in truth.items()}) == 1
    assert rank_correlation(truth, {name: -value for name, value in truth.items()}) == -1
    assert rank_correlation(truth, {"a": 2.0, "b": 1.0, "c": 3.0, "d": 4.0}) == pytest.approx(0.8)
