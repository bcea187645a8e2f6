"""The operation of an API for a path: a literal before a parameter, a parameter before {proxy+}."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.resources import Operation


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameters: dict[str, "_Node"] = field(default_factory=dict)
    greedy: dict[str, "_Node"] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and the values of its path's parameters, as they stand in the path (still escaped)."""

    operation: Operation
    parameters: dict[str, str]


class Routes:
    """The routes of one API."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def match(self, method: str, path: str) -> Match | None:
        """Return the operation for a method and a raw path, or None; a trailing slash is ignored."""
        segments = path.split("/")[1:]
        if segments and segments[-1] == "":
            segments.pop()
        found = self._find(self._root, segments, 0, method)
        if found is None:
            return None
        node, parameters = found
        return Match(node.operations.get(method) or node.operations["ANY"], parameters)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in [part for part in operation.path.split("/") if part]:
            if not (segment.startswith("{") and segment.endswith("}")):
                node = node.literals.setdefault(segment, _Node())
            elif segment.endswith("+}"):
                node = node.greedy.setdefault(segment[1:-2], _Node())
            else:
                node = node.parameters.setdefault(segment[1:-1], _Node())
        node.operations[operation.method] = operation

    def _find(self, node: _Node, segments: list[str], index: int, method: str) -> tuple[_Node, dict[str, str]] | None:
        if index == len(segments):
            return (node, {}) if method in node.operations or "ANY" in node.operations else None
        segment = segments[index]
        literal = node.literals.get(segment)
        if literal is not None:
            found = self._find(literal, segments, index + 1, method)
            if found is not None:
                return found
        if segment:
            for name, child in node.parameters.items():
                found = self._find(child, segments, index + 1, method)
                if found is not None:
                    return found[0], {name: segment, **found[1]}
        for name, child in node.greedy.items():
            if method in child.operations or "ANY" in child.operations:
                return child, {name: "/".join(segments[index:])}
        return None
