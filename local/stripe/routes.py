"""The table of operations: method, path, parameters, and function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.stripe.parameters import Items, Kind, Text
from local.stripe.request_context import RequestContext
from local.stripe.store import Json

Given = dict[str, Any]
Handler = Callable[..., Json]
EXPAND: Mapping[str, Kind] = {"expand": Items(of=Text())}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `public`: a publishable key may call it too."""

    method: str
    segments: tuple[str, ...]
    kinds: Mapping[str, Kind]
    handler: Handler
    public: bool


_OPERATIONS: dict[tuple[str, int], list[Operation]] = {}


def route(
    method: str, path: str, kinds: Mapping[str, Kind] | None = None, *, public: bool = False
) -> Callable[[Handler], Handler]:
    """Add a handler to the table: it is called with the work, the parameters, and the path's variables in order."""

    def put(handler: Handler) -> Handler:
        segments = tuple(path.strip("/").split("/"))
        operation = Operation(method, segments, {**EXPAND, **(kinds or {})}, handler, public)
        _OPERATIONS.setdefault((method, len(segments)), []).append(operation)
        return handler

    return put


def match(method: str, path: str) -> tuple[Operation, list[str]] | None:
    """Return the operation of a path and its variables, or None; words have precedence over variables."""
    parts = path.strip("/").split("/")
    best: tuple[Operation, list[str]] | None = None
    for operation in _OPERATIONS.get((method, len(parts)), ()):
        variables = []
        for segment, part in zip(operation.segments, parts, strict=True):
            if segment.startswith("{") and part:
                variables.append(part)
            elif segment != part:
                break
        else:
            if best is None or len(variables) < len(best[1]):
                best = operation, variables
    return best


def call(operation: Operation, work: RequestContext, given: Given, variables: list[str]) -> Json:
    """Call an operation."""
    return operation.handler(work, given, *variables)
