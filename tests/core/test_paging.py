"""Cursors: keys survive the round trip, and any other text is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.core import paging
from marquee.core.errors import Refused

pytestmark = pytest.mark.usefixtures("sockets_off")

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@given(
    moments,
    st.uuids(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    texts,
)
def test_cursor_returns_its_keys(at, id_, number, text):
    cursor = paging.cursor(at, id_, number, text)

    assert paging.after(cursor, datetime, UUID, paging.BIGINT, str) == (at, id_, number, text)
    assert "=" not in cursor


def test_missing_cursor_means_the_first_page():
    assert paging.after(None, datetime, UUID) is None


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_text_that_is_not_a_cursor_is_refused(text):
    with pytest.raises(Refused) as refusal:
        paging.after(text, datetime, UUID)

    assert (refusal.value.status, refusal.value.code) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (["2030-01-01T00:00:00"], datetime),  # no offset
        (["soon"], datetime),
        ([5], datetime),
        ([2**63], paging.BIGINT),
        ([True], paging.BIGINT),
        (["1"], paging.BIGINT),
        ([2**31], paging.INTEGER),
        ([-1], paging.COUNT),
        (["2030-01-01T00:00:00+16:00"], datetime),
        (["0001-01-01T00:00:00+00:00"], datetime),
        (["9999-12-31T23:59:59+00:00"], datetime),
        (["2030-W01-1T00:00:00Z"], datetime),
        (["2030-01-01"], datetime),
        ([1e400], float),
        ([None], float),
        (["nobody"], UUID),
        (["\0"], str),
        (["\ud800"], str),
        ([["a"]], str),
        (["a", "b"], str),
        ({"a": 1}, str),
    ],
)
def test_tampered_keys_are_refused(keys, kind):
    text = base64.urlsafe_b64encode(json.dumps(keys).encode()).decode()

    with pytest.raises(Refused) as refusal:
        paging.after(text, kind)

    assert refusal.value.extensions["errors"][0]["path"] == ["query", "cursor"]


@given(st.integers(0, 30), st.integers(1, 12))
def test_pages_contain_each_item_of_the_list_once(total, limit):
    rows, seen, cursor = list(range(total)), [], None
    for _ in range(total + 1):
        start = 0 if (keys := paging.after(cursor, paging.INTEGER)) is None else keys[0] + 1
        page = paging.page(rows[start : start + limit + 1], limit, lambda row: row * 10, lambda row: (row,))
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [row * 10 for row in rows]


def test_cursor_keeps_the_instant_of_a_time_in_another_zone():
    at = datetime(2030, 1, 31, 18, tzinfo=timezone(timedelta(hours=15, minutes=59)))

    assert paging.after(paging.cursor(at), datetime) == (at,)
