"""What PostgreSQL could not hold is found wherever it is in a request, and nothing else is taken for it."""

from typing import Any

import pytest

from marquee.edge import requests

pytestmark = pytest.mark.usefixtures("sockets_off")


@pytest.mark.parametrize("bad", ["\0", "\ud800", 2**63, 1e999, {"\0": 1}])
@pytest.mark.parametrize("depth", [1, 2, 3, requests.DEPTH_MAX - 1])
def test_what_cannot_be_stored_is_found_at_any_depth(bad, depth):
    assert [error["loc"] for error in requests.unstorable(nested(bad, depth))] == [
        ("a", 1) * (depth // 2) + ("a",) * (depth % 2)
    ]


@pytest.mark.parametrize("good", ["", "é", "\U0001f4a5", 2**63 - 1, 1e308, None, True, {}, []])
def test_what_can_be_stored_is_found_good_down_to_the_greatest_depth_and_no_further(good):
    assert requests.unstorable(nested(good, requests.DEPTH_MAX)) == []
    assert [error["type"] for error in requests.unstorable(nested(good, requests.DEPTH_MAX + 1))] == ["too_deep"]


def nested(value: Any, depth: int) -> dict[str, Any]:
    """A value so deep in objects and lists, by turns, the outermost an object."""
    for level in reversed(range(depth)):
        value = [0, value] if level % 2 else {"a": value}
    return value
