"""Test that values that PostgreSQL cannot store are found anywhere in a request, and only those."""

from typing import Any

import pytest

from marquee.edge import requests

pytestmark = pytest.mark.usefixtures("sockets_off")


@pytest.mark.parametrize("bad", ["\0", "\ud800", 2**63, 1e999, {"\0": 1}])
@pytest.mark.parametrize("depth", [1, 2, 3, requests.DEPTH_MAX - 1])
def test_unstorable_value_is_found_at_any_depth(bad, depth):
    assert [error["loc"] for error in requests.unstorable(nested(bad, depth))] == [
        ("a", 1) * (depth // 2) + ("a",) * (depth % 2)
    ]


@pytest.mark.parametrize("good", ["", "é", "\U0001f4a5", 2**63 - 1, 1e308, None, True, {}, []])
def test_storable_value_is_accepted_down_to_the_maximum_depth(good):
    assert requests.unstorable(nested(good, requests.DEPTH_MAX)) == []
    assert [error["type"] for error in requests.unstorable(nested(good, requests.DEPTH_MAX + 1))] == ["too_deep"]


def nested(value: Any, depth: int) -> dict[str, Any]:
    """Wrap a value in `depth` alternating objects and lists. The outermost is an object."""
    for level in reversed(range(depth)):
        value = [0, value] if level % 2 else {"a": value}
    return value
