"""The parameters of operations: kinds that check and read the values of a form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.stripe.errors import Refused, malformed

METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
_INTEGER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One parameter. `needed`: it is required. `clears`: an empty value unsets it (read as None)."""

    needed: bool = False
    clears: bool = False

    def read(self, value: Any, name: str) -> Any:
        """Return the value as a Python object; raises Refused."""
        if value == "":
            if self.clears:
                return None
            raise malformed(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
                f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a "
                "non-empty value.",
                code="parameter_invalid_empty",
                param=name,
            )
        return self.value(value, name)

    def value(self, value: Any, name: str) -> Any:
        """Return a value that is not empty, as a Python object."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Kind):
    """A string of at most `longest` characters."""

    longest: int = 5000

    def value(self, value: Any, name: str) -> str:
        """Return the string."""
        if not isinstance(value, str):
            raise malformed(f"Invalid string: {_shown(value)}", param=name)
        if len(value) > self.longest:
            raise malformed(
                f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {self.longest} characters",
                code="parameter_invalid_string",
                param=name,
            )
        return value


@dataclass(frozen=True, kw_only=True)
class Whole(Kind):
    """An integer."""

    least: int | None = None
    most: int | None = None

    def value(self, value: Any, name: str) -> int:
        """Return the integer."""
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            raise malformed(f"Invalid integer: {_shown(value)}", code="parameter_invalid_integer", param=name)
        number = int(value)
        if self.least is not None and number < self.least:
            raise malformed(
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=name,
            )
        if self.most is not None and number > self.most:
            raise malformed(
                f"This value must be less than or equal to {self.most} (it currently is '{number}').",
                code="parameter_invalid_integer",
                param=name,
            )
        return number


@dataclass(frozen=True, kw_only=True)
class Flag(Kind):
    """`true` or `false`."""

    def value(self, value: Any, name: str) -> bool:
        """Return the boolean."""
        if value not in ("true", "false"):
            raise malformed(f"Invalid boolean: {_shown(value)}", param=name)
        return bool(value == "true")


@dataclass(frozen=True, kw_only=True)
class Choice(Kind):
    """One of some words."""

    words: tuple[str, ...]

    def value(self, value: Any, name: str) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.words:
            *first, last = self.words
            listed = f"one of {', '.join(first)} or {last}" if first else last
            raise malformed(f"Invalid {name}: must be {listed}", param=name)
        return value


@dataclass(frozen=True, kw_only=True)
class Fields(Kind):
    """A hash whose keys are known."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def value(self, value: Any, name: str) -> dict[str, Any]:
        """Return the hash with its values read."""
        if not isinstance(value, dict):
            raise malformed("Invalid object", param=name)
        return read(value, self.kinds, name)


@dataclass(frozen=True, kw_only=True)
class Items(Kind):
    """A list of one kind."""

    of: Kind
    most: int = 100

    def value(self, value: Any, name: str) -> list[Any]:
        """Return the list with its values read."""
        if not isinstance(value, list):
            raise malformed("Invalid array", param=name)
        if len(value) > self.most:
            raise malformed(f"Array {name} exceeds the maximum of {self.most} elements.", param=name)
        return [self.of.read(each, f"{name}[{place}]") for place, each in enumerate(value)]


@dataclass(frozen=True, kw_only=True)
class Metadata(Kind):
    """The caller's own keys and values; an empty value removes its key, an empty hash all of them."""

    clears: bool = True

    def value(self, value: Any, name: str) -> dict[str, str]:
        """Return the pairs; an empty value stays, so that the caller removes the key."""
        if isinstance(value, list):
            value = {str(place): each for place, each in enumerate(value)}
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise malformed("Invalid object", param=name)
        if len(value) > METADATA_KEYS_MAX:
            raise malformed(f"You can only set up to {METADATA_KEYS_MAX} metadata keys", param=name)
        for key, each in value.items():
            if len(key) > METADATA_KEY_MAX:
                raise malformed(
                    f"Metadata keys are limited to {METADATA_KEY_MAX} characters; `{key}` is {len(key)} characters",
                    param=name,
                )
            if len(each) > METADATA_VALUE_MAX:
                raise malformed(
                    f"Metadata values can have up to {METADATA_VALUE_MAX} characters; the value of `{key}` has "
                    f"{len(each)}",
                    param=f"{name}[{key}]",
                )
        return value


@dataclass(frozen=True, kw_only=True)
class Span(Kind):
    """A time in seconds, or its bounds: gt, gte, lt, lte. Read as a dictionary of bounds."""

    def value(self, value: Any, name: str) -> dict[str, int]:
        """Return the bounds; a single time is both."""
        if isinstance(value, dict):
            bound = Whole()
            bounds: dict[str, int] = read(value, dict.fromkeys(("gt", "gte", "lt", "lte"), bound), name)
            return bounds
        at = Whole().value(value, name)
        return {"gte": at, "lte": at}


def read(given: Mapping[str, Any], kinds: Mapping[str, Kind], within: str = "") -> dict[str, Any]:
    """Read the given parameters of an operation or a hash. Raises Refused: unknown, missing, malformed."""

    def full(name: str) -> str:
        return f"{within}[{name}]" if within else name

    strange = [full(name) for name in given if name not in kinds]
    if strange:
        raise malformed(
            f"Received unknown parameter{'s' if len(strange) > 1 else ''}: {', '.join(strange)}",
            code="parameter_unknown",
            param=strange[0],
        )
    for name, kind in kinds.items():
        if kind.needed and name not in given:
            raise missing(full(name))
    return {name: kinds[name].read(value, full(name)) for name, value in given.items()}


def missing(name: str) -> Refused:
    """Return the refusal of a missing parameter."""
    return malformed(f"Missing required param: {name}.", code="parameter_missing", param=name)


def merged(old: Mapping[str, str], new: Mapping[str, str] | None) -> dict[str, str]:
    """Return the metadata after an update."""
    if new is None:
        return {}
    return {key: value for key, value in {**old, **new}.items() if value != ""}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "[object]"
