"""Form-encoded parameters with nested names: `a[b]=1`, `a[]=1`, `a[0][b]=1`."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from local.stripe.errors import malformed

DEPTH_MAX = 10
PAIRS_MAX = 10_000
_PARTS = re.compile(r"\[([^\[\]]*)\]")


def decoded(text: str) -> dict[str, Any]:
    """Return the parameters as strings, lists and dictionaries. Raises Refused if names contradict one another."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PAIRS_MAX)
    except (ValueError, UnicodeDecodeError) as error:
        raise malformed("Invalid request body: it is not form-encoded UTF-8.") from error
    return nested(pairs)


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return nested values from decoded names and values."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        path = _path(name)
        _put(found, path, value, name)
    listed: dict[str, Any] = {name: _listed(value) for name, value in found.items()}
    return listed


def _path(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    parts = _PARTS.findall("[" + rest)
    if not head or "".join(f"[{part}]" for part in parts) != "[" + rest or len(parts) > DEPTH_MAX:
        raise malformed(f"Invalid parameter name: {name}", param=name)
    return [head, *parts]


def _put(found: dict[str, Any], path: list[str], value: str, name: str) -> None:
    here = found
    for part in path[:-1]:
        key = part or str(len(here))
        below = here.setdefault(key, {})
        if not isinstance(below, dict):
            raise malformed(f"Invalid parameters: {name} is both a value and a hash", param=name)
        here = below
    last = path[-1] if path[-1] or len(path) == 1 else str(len(here))
    if isinstance(here.get(last), dict):
        raise malformed(f"Invalid parameters: {name} is both a value and a hash", param=name)
    here[last] = value


def _listed(value: Any) -> Any:
    """Replace dictionaries whose keys are 0, 1, 2 … by lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and all(name == str(place) for place, name in enumerate(inner)):
        return list(inner.values())
    return inner
