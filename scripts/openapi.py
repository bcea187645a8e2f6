"""Write docs/openapi.json: the OpenAPI 3.1 document of the whole API, from the types of all handlers.

Run `python -m scripts.openapi` to write it, with `--check` to compare it with the handlers.

The responses that all routes share (problems, limits, tokens) are defined once, in scripts/openapi_parts.py. Whether a
route requires a token is read from template.yaml.
"""

import argparse
import difflib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from scripts.openapi_parts import COMPONENTS, INFO, TAGS, answer, answers, example_of

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
LEFT_OUT = ("HTTPValidationError", "ValidationError", "ResponseValidationError")

Tree = dict[str, Any]
Route = tuple[str, str]


class Contradiction(Exception):
    """Two handlers declare different things for the same name or route."""


def document(functions: Path = ROOT / "functions", template: Path = ROOT / "template.yaml") -> Tree:
    """Return the OpenAPI document of all functions with routes, in a stable order. Raises Contradiction."""
    paths: dict[str, Tree] = {}
    schemas: Tree = {}
    public = public_routes(template)
    for file in sorted(functions.glob("*/app.py")):
        own = _own_document(file)
        for name, schema in own.get("components", {}).get("schemas", {}).items():
            if name not in LEFT_OUT and schemas.setdefault(name, schema) != schema:
                raise Contradiction(f"{file.parent.name} has a different model named {name}. Rename one of them.")
        for path, operations in own["paths"].items():
            for method, operation in operations.items():
                if method in paths.setdefault(path, {}):
                    raise Contradiction(f"{method.upper()} {path} is declared by two functions. Remove one of them.")
                paths[path][method] = _finished(operation, (method, path) in public)
    everything: Tree = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": [tag for tag in TAGS if tag["name"] in _tags_of(paths)],
        "paths": paths,
        "components": {
            **COMPONENTS,
            "responses": answers(_statuses(paths)),
            "schemas": {**schemas, **COMPONENTS["schemas"]},
        },
    }
    for operation in _operations(paths):
        _add_examples(operation, everything["components"]["schemas"])
    _drop_titles(everything["components"]["schemas"])
    _drop_titles(paths)
    return everything


def text_of(tree: Tree) -> str:
    """Return the document as the text of the committed file."""
    return json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def public_routes(template: Path) -> set[Route]:
    """Return the routes, as (method, path), that template.yaml opens to calls without a token."""
    tree = yaml.load(template.read_text(), _CloudFormation)  # noqa: S506
    return {
        (method, path)
        for path, operations in tree["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"NONE": []}]
    }


class _CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, whose values are ignored here."""


_CloudFormation.add_multi_constructor("!", lambda loader, tag, node: None)


def load(file: Path) -> ModuleType:
    """Load the module of a function, with its folder and the domain on the path."""
    for path in (ROOT / "layers" / "domain", file.parent):
        if str(path) not in sys.path:
            sys.path.append(str(path))
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    spec = importlib.util.spec_from_file_location(f"openapi_of_{file.parent.name.replace('-', '_')}", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _own_document(file: Path) -> Tree:
    """Return the document of one function. A function without routes is not loaded."""
    if "http.resolver(" not in file.read_text():
        return {"paths": {}}
    app = load(file).app
    problems = {}
    for route in app.routes:
        given = route.responses or {}
        problems[route.method.lower(), route.openapi_path] = [status for status in given if status >= 300]
        route.responses = {status: given[status] for status in given if status < 300} or None
        summary, _, rest = (route.func.__doc__ or "").strip().partition(". ")
        route.summary, route.description = summary.rstrip("."), " ".join(rest.split()) or None
        route.operation_id = route.func.__name__
    own: Tree = json.loads(app.get_openapi_json_schema(title="Marquee", version="1"))
    for path, operations in own["paths"].items():
        for method, operation in operations.items():
            operation["x-problems"] = problems[method, path]
    return own


def _finished(operation: Tree, public: bool) -> Tree:
    """Return an operation with the members that all operations share."""
    responses = {status: given for status, given in operation["responses"].items() if status != "422"}
    responses.pop("500", None)
    if "204" in responses:
        responses["204"] = {"description": "Done. The response has no body."}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = "-".join(word.capitalize() for word in parameter["name"].split("-"))
        parameter["schema"] = _given(parameter["schema"])
    statuses = {*operation.pop("x-problems"), 422, 429, 503}
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        statuses.add(404)
    if not public:
        statuses |= {401, 403}
    operation["security"] = [] if public else [{"bearer": []}]
    operation["responses"] = {**responses, **{str(status): answer(status) for status in sorted(statuses)}}
    return operation


def _given(schema: Tree) -> Tree:
    """Return a parameter's schema without null, which a request cannot send.

    `required` already says whether the parameter may be omitted.
    """
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    rest = {name: member for name, member in schema.items() if name != "anyOf"}
    return {**rest, **choices[0]}


def _statuses(paths: dict[str, Tree]) -> set[int]:
    """Return the statuses whose responses are the same for all routes."""
    used = [item for operation in _operations(paths) for item in operation["responses"].items()]
    return {int(status) for status, given in used if "$ref" in given}


def _operations(paths: dict[str, Tree]) -> Iterator[Tree]:
    for operations in paths.values():
        yield from operations.values()


def _tags_of(paths: dict[str, Tree]) -> set[str]:
    return {tag for operation in _operations(paths) for tag in operation.get("tags", [])}


def _add_examples(operation: Tree, schemas: Tree) -> None:
    """Add an example to each JSON body that has none."""
    messages = [operation.get("requestBody", {}), *operation["responses"].values()]
    for message in messages:
        content = message.get("content", {}).get("application/json")
        if content and "schema" in content and "example" not in content and "examples" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _drop_titles(tree: Any, *, names: bool = False) -> None:
    """Remove the titles that pydantic derives from names; they add nothing."""
    if isinstance(tree, list):
        for item in tree:
            _drop_titles(item)
    elif isinstance(tree, dict):
        if not names and isinstance(tree.get("title"), str):
            del tree["title"]
        for name, member in tree.items():
            if name not in ("example", "examples", "default", "enum", "const") or names:
                _drop_titles(member, names=name in ("properties", "schemas") and not names)


def main() -> int:
    """Write the document, or compare it. Returns the exit status of the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if docs/openapi.json differs from the handlers")
    check = parser.parse_args().check
    new = text_of(document())
    old = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if not check:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(new)
        return 0
    difference = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "docs/openapi.json", "the handlers", lineterm=""
    )
    lines = list(difference)
    if lines:
        print("\n".join(lines[:60]))
        print("docs/openapi.json differs from the handlers. Run `make openapi`, and review the difference.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
