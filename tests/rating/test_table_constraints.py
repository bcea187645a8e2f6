"""Constraints of the rating tables refuse impossible rows, even from writers that bypass the routines."""

from uuid import uuid4

import psycopg
import pytest

EVENT = {"event_id": 1, "organization_id": uuid4(), "key": "tap", "voter_id": "eva"}
VOTE = EVENT | {"item_a": "dawn", "item_b": "dusk", "winner": "dawn", "kind": "normal"}
SLIDER = EVENT | {"item_id": "dawn", "value": 72.5}
INBOX = {
    "organization_id": EVENT["organization_id"], "item_id": "dawn", "event_id": 1, "kind": "vote", "voter_id": "eva",
    "opponent_id": "dusk", "score": 1, "weight": 1,
}  # fmt: skip


def write(db, table, row):
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    db.execute(f"insert into rating.{table} ({names}) values ({values})", list(row.values()))


@pytest.mark.parametrize(
    ("table", "row"), [("votes", VOTE), ("sliders", SLIDER), ("fires", EVENT | {"item_id": "dawn"}), ("inbox", INBOX)]
)
def test_valid_row_is_accepted(rolled_back, table, row):
    write(rolled_back, table, row)


@pytest.mark.parametrize(
    ("table", "row", "constraint"),
    [
        ("votes", VOTE | {"winner": "noon"}, "winner_is_one_of_the_two"),
        ("votes", VOTE | {"item_b": "dawn"}, "items_differ"),
        ("votes", VOTE | {"voter_id": ""}, "id_is_1_to_128_long"),
        ("votes", VOTE | {"key": "k" * 129}, "id_is_1_to_128_long"),
        ("sliders", SLIDER | {"value": -5000}, "value_is_0_to_100"),
        ("sliders", SLIDER | {"value": 100.1}, "value_is_0_to_100"),
        ("sliders", SLIDER | {"value": float("nan")}, "value_is_0_to_100"),
        ("inbox", INBOX | {"opponent_id": None}, "votes_have_opponents"),
        ("inbox", INBOX | {"score": 1.5}, "score_is_in_its_range"),
        ("inbox", INBOX | {"kind": "slider", "opponent_id": None, "score": 101}, "score_is_in_its_range"),
        ("inbox", INBOX | {"weight": 3}, "weight_is_one_or_two"),
    ],
)
def test_impossible_row_is_refused_by_a_constraint(rolled_back, table, row, constraint):
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        write(rolled_back, table, row)

    assert refused.value.diag.constraint_name == constraint


def test_unknown_vote_kind_is_refused(rolled_back):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        write(rolled_back, "votes", VOTE | {"kind": "mega"})
