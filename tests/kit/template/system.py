"""Load the templates as written and as expanded by SAM and CloudFormation, and the files that must match them."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from local import documents
from scripts.templates import Template, mentions, nested, translate

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = "layers/dependencies/requirements.txt"
METHODS = ("get", "post", "put", "patch", "delete", "head")

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Route:
    """An HTTP route. `function` is its logical id, and `public` means that no token is required."""

    method: str
    path: str
    function: str
    public: bool
    operation: dict[str, Any] = field(compare=False, hash=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(repr=False)
class System:
    """Everything that rules check. Tests break a copy of it to show that a rule detects the fault.

    `nested` are the templates of nested stacks by logical id, with their loops expanded. `resources` are the resources
    of all stacks by logical id. `declared` are the routes that the handlers of each folder declare. `lines` is the
    length of template.yaml.
    """

    source: Template
    translated: Template
    nested: dict[str, Template]
    declared: dict[str, set[tuple[str, str]]]
    lines: int
    folders: set[str]
    openapi: dict[str, Any]
    samples: dict[str, dict[str, Any]]
    documents: dict[str, str]
    libraries: dict[str, str]
    resources: Resources = field(init=False)

    def __post_init__(self) -> None:
        self.resources = {}
        for template in (self.translated, *self.nested.values()):
            assert self.resources.keys().isdisjoint(template["Resources"])
            self.resources |= template["Resources"]

    def translate(self) -> None:
        """Translate the source again, after a change."""
        self.translated = translate(self.source)
        self.__post_init__()

    def of_type(self, kind: str) -> Resources:
        """Return the resources of a type, such as AWS::SQS::Queue."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of a resource."""
        found: dict[str, Any] = self.resources[name]["Properties"]
        return found

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the operations of docs/openapi.json by method and path."""
        return {
            (method, path): operation
            for path, operations in self.openapi["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
        }

    @property
    def functions(self) -> Resources:
        """Return the functions as written, by logical id."""
        written: Resources = self.source["Resources"]
        return {name: each for name, each in written.items() if each["Type"] == "AWS::Serverless::Function"}

    def folder(self, function: str) -> str:
        """Return the folder of a function's code, such as `book`."""
        return str(self.functions[function]["Properties"]["CodeUri"]).removeprefix("functions/").rstrip("/")

    @property
    def body(self) -> dict[str, Any]:
        """Return the API's definition, as API Gateway imports it."""
        found: dict[str, Any] = self.properties("Api")["Body"]
        return found

    @property
    def routes(self) -> list[Route]:
        """Return every route of the API except preflight requests."""
        return [
            Route(method, path, function_of(operation["x-amazon-apigateway-integration"]["uri"]), public, operation)
            for path, operations in self.body["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
            for public in [operation.get("security") == [{"NONE": []}]]
        ]


def function_of(reference: Any) -> str:
    """Return the function of a reference to it or to its alias."""
    ids = [name for name in mentions(reference) if "Function" in name]
    return ids[0].removesuffix("Aliaslive") if ids else ""


def declared(folder: Path) -> set[tuple[str, str]]:
    """Return the routes that a function's Python files declare, with paths as API Gateway writes them."""
    found = re.compile(rf'^@\w+\.({"|".join(METHODS)})\(\s*"([^"]+)"', re.MULTILINE)
    return {
        (method, re.sub(r"<(\w+)>", r"{\1}", path))
        for file in folder.rglob("*.py")
        for method, path in found.findall(file.read_text())
    }


@cache
def _loaded() -> System:
    source = documents.read(ROOT / "template.yaml")
    document = ROOT / "docs/openapi.json"
    return System(
        source=source,
        translated=translate(source),
        nested=nested(source, ROOT),
        declared={path.parent.name: declared(path.parent) for path in ROOT.glob("functions/*/app.py")},
        lines=len((ROOT / "template.yaml").read_text().splitlines()),
        folders={path.parent.name for path in ROOT.glob("functions/*/app.py")},
        openapi=json.loads(document.read_text()) if document.exists() else {"paths": {}},
        samples={path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")},
        documents={path.name: path.read_text() for path in (ROOT / "docs").rglob("*.md")},
        libraries=dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / LIBRARIES).read_text(), re.MULTILINE)),
    )


def load() -> System:
    """Return a copy of the system that a test can break."""
    return copy.deepcopy(_loaded())


Rule = Callable[[System], Iterator[str]]
