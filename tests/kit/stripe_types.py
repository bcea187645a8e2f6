"""Check that a response matches the SDK's classes: every required field with its type, and no other field."""

import ast
import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from stripe._object_classes import OBJECT_CLASSES

# A Decimal is a string in JSON.
PLAIN = {"str": str, "int": int, "float": float, "bool": bool, "Decimal": str}


@dataclass
class Class:
    """A class of the SDK: its fields' annotations and its inner classes."""

    name: str
    fields: dict[str, ast.expr] = field(default_factory=dict)
    inner: dict[str, "Class"] = field(default_factory=dict)
    outer: "Class | None" = None

    def find(self, name: str) -> "Class | None":
        """Find a class by the name that annotations use here."""
        return self.inner.get(name) or (self.outer.find(name) if self.outer else None)


@cache
def sdk_class(kind: str) -> Class:
    """Return the class for objects whose `object` is `kind`."""
    module, name = OBJECT_CLASSES[kind]
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return next(_read(node, None) for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def _read(node: ast.ClassDef, outer: Class | None) -> Class:
    made = Class(node.name, outer=outer)
    for part in node.body:
        if isinstance(part, ast.ClassDef):
            made.inner[part.name] = _read(part, made)
            continue
        if not (isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)):
            continue
        name = part.target.id
        if not name.startswith("_") and "ClassVar" not in ast.unparse(part.annotation):
            made.fields[name.rstrip("_")] = part.annotation
    return made


def faults(document: dict[str, Any]) -> list[str]:
    """Return the faults of an API object, each with its path. The list is empty without a fault."""
    return _object(document, document["object"])


def _object(document: dict[str, Any], path: str) -> list[str]:
    kind = document["object"]
    if kind == "list":
        return [fault for place, each in enumerate(document["data"]) for fault in _object(each, f"{path}[{place}]")]
    if kind not in OBJECT_CLASSES:
        return [f"{path}: there is no class for {kind}"]
    return _fields(document, sdk_class(kind), path)


def _fields(document: dict[str, Any], declared: Class, path: str) -> list[str]:
    found = []
    for name, annotation in declared.fields.items():
        here = f"{path}.{name}"
        if name in document:
            found += _value(document[name], annotation, declared, here)
        elif not ast.unparse(annotation).startswith("Optional"):
            found.append(f"{here} is missing")
    strange = document.keys() - declared.fields.keys()
    return found + [f"{path}.{name} is not declared" for name in sorted(strange)]


def _value(value: Any, annotation: ast.expr, scope: Class, path: str) -> list[str]:
    if isinstance(annotation, ast.Constant):
        if annotation.value is None:
            return [] if value is None else [f"{path} is not null"]
        return _named(value, str(annotation.value), scope, path)
    if isinstance(annotation, ast.Name):
        return _named(value, annotation.id, scope, path)
    if isinstance(annotation, ast.Attribute):
        return _named(value, annotation.attr, scope, path)
    assert isinstance(annotation, ast.Subscript), ast.unparse(annotation)
    outer, inner = ast.unparse(annotation.value), annotation.slice
    match outer:
        case "Optional":
            return [] if value is None else _value(value, inner, scope, path)
        case "Literal":
            allowed = [ast.literal_eval(each) for each in getattr(inner, "elts", [inner])]
            return [] if value in allowed else [f"{path} is {value!r}, not one of {allowed}"]
        case "Union":
            choices = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
            # A list of words that ends in `str` allows future words. Today's responses contain only listed words.
            if ast.unparse(choices[-1]) == "str" and "Literal" in ast.unparse(choices[0]):
                choices = choices[:1]
            tried = [_value(value, choice, scope, path) for choice in choices]
            return [] if [] in tried else [fault for each in tried[:1] for fault in each]
        case "List" | "list":
            if not isinstance(value, list):
                return [f"{path} is no list"]
            return [fault for n, each in enumerate(value) for fault in _value(each, inner, scope, f"{path}[{n}]")]
        case "ExpandableField":
            return [] if isinstance(value, str) else _value(value, inner, scope, path)
        case "ListObject":
            if not isinstance(value, dict) or value.get("object") != "list":
                return [f"{path} is no list of the API"]
            lost = {"object", "data", "has_more", "url"} - value.keys()
            return [f"{path}.{name} is missing" for name in sorted(lost)] + _object(value, path)
        case "UntypedStripeObject" | "Dict":
            return [] if isinstance(value, dict) else [f"{path} is no object"]
        case _:
            return [f"{path}: {ast.unparse(annotation)} is not understood"]


def _named(value: Any, name: str, scope: Class, path: str) -> list[str]:
    if name == "Any":
        return []
    if name in PLAIN:
        right = isinstance(value, PLAIN[name]) and not (isinstance(value, bool) and name != "bool")
        return [] if right else [f"{path} is {value!r}, no {name}"]
    if not isinstance(value, dict):
        return [f"{path} is {value!r}, no {name}"]
    inner = scope.find(name)
    if inner is not None:
        return _fields(value, inner, path)
    return _object(value, path) if "object" in value else [f"{path} has no kind; {name} was expected"]
