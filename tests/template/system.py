"""The templates as written and as SAM and CloudFormation expand them, and the files that they must agree with."""

import copy
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from local import documents
from local.expansion import Expansion, Static
from local.report import Report
from local.resources import Account

ROOT = Path(__file__).parents[2]
LIBRARIES = "layers/dependencies/requirements.txt"
METHODS = ("get", "post", "put", "patch", "delete", "head")
PARAMETERS = {
    "PythonRuntime": "python3.13",
    "Architecture": "arm64",
    "TokenIssuer": "https://issuer.example.com/",
    "TokenJwksUrl": "https://issuer.example.com/jwks.json",
}

Template = dict[str, Any]
Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Route:
    """A way in over HTTP; `function` is the logical id that answers, `public` whether no token is asked for."""

    method: str
    path: str
    function: str
    public: bool
    operation: dict[str, Any] = field(compare=False, hash=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(repr=False)
class System:
    """Everything that rules look at; a copy of it is broken to show that a rule would notice.

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
        """The resources of a type, such as AWS::SQS::Queue."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of a resource."""
        found: dict[str, Any] = self.resources[name]["Properties"]
        return found

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What docs/openapi.json says, by method and path."""
        return {
            (method, path): operation
            for path, operations in self.openapi["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
        }

    @property
    def functions(self) -> Resources:
        """The functions as written, by logical id."""
        written: Resources = self.source["Resources"]
        return {name: each for name, each in written.items() if each["Type"] == "AWS::Serverless::Function"}

    def folder(self, function: str) -> str:
        """The folder of a function's code, such as `book`."""
        return str(self.functions[function]["Properties"]["CodeUri"]).removeprefix("functions/").rstrip("/")

    @property
    def body(self) -> dict[str, Any]:
        """The API's definition, as API Gateway imports it."""
        found: dict[str, Any] = self.properties("Api")["Body"]
        return found

    @property
    def routes(self) -> list[Route]:
        """Every route of the API but the preflights."""
        return [
            Route(method, path, function_of(operation["x-amazon-apigateway-integration"]["uri"]), public, operation)
            for path, operations in self.body["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
            for public in [operation.get("security") == [{"NONE": []}]]
        ]


def mentions(value: Any) -> Iterator[str]:
    """The logical ids that a value refers to by Ref, GetAtt or Sub, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub":
                text, variables = (inner, {}) if isinstance(inner, str) else (inner[0], inner[1])
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
                yield from mentions(variables)
            else:
                yield from mentions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mentions(inner)


def function_of(reference: Any) -> str:
    """The function that a reference to it or to its alias means."""
    ids = [name for name in mentions(reference) if "Function" in name]
    return ids[0].removesuffix("Aliaslive") if ids else ""


def translate(source: Template) -> Template:
    """What CloudFormation gets to see, made without asking AWS, as if the code had been uploaded."""
    uploaded = copy.deepcopy(source)
    for resource in uploaded["Resources"].values():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & properties.keys():
            properties[name] = f"s3://uploaded/{properties[name]}"
    loader = mock.Mock(load=dict)
    logging.getLogger("samtranslator.feature_toggle").setLevel(logging.ERROR)  # it warns of each toggle that is off
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION="eu-central-1"):
        translated: Template = transform(uploaded, dict(PARAMETERS), loader)
    return translated


def expand(path: Path) -> Template:
    """Return a nested template with its loops expanded, as CloudFormation expands them."""
    document = documents.read(path)
    expansion = Expansion(document, path.parent, Static(document, {}, Account("marquee", "eu-central-1")), Report())
    expansion.expand()
    expanded: Template = _plain(document)
    return expanded


def _plain(value: Any) -> Any:
    """Write {Ref: {Fn::Sub: Name}}, which loops leave behind, as {Ref: Name}."""
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), dict):
            return {"Ref": value["Ref"]["Fn::Sub"]}
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def declared(folder: Path) -> set[tuple[str, str]]:
    """The routes that the Python files of a function declare, with paths as API Gateway writes them."""
    found = re.compile(rf'^@\w+\.({"|".join(METHODS)})\(\s*"([^"]+)"', re.MULTILINE)
    return {
        (method, re.sub(r"<(\w+)>", r"{\1}", path))
        for file in folder.rglob("*.py")
        for method, path in found.findall(file.read_text())
    }


@cache
def _loaded() -> System:
    source = documents.read(ROOT / "template.yaml")
    stacks = {name: each for name, each in source["Resources"].items() if each["Type"] == "AWS::CloudFormation::Stack"}
    document = ROOT / "docs/openapi.json"
    return System(
        source=source,
        translated=translate(source),
        nested={name: expand(ROOT / each["Properties"]["TemplateURL"]) for name, each in stacks.items()},
        declared={path.parent.name: declared(path.parent) for path in ROOT.glob("functions/*/app.py")},
        lines=len((ROOT / "template.yaml").read_text().splitlines()),
        folders={path.parent.name for path in ROOT.glob("functions/*/app.py")},
        openapi=json.loads(document.read_text()) if document.exists() else {"paths": {}},
        samples={path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")},
        documents={path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")},
        libraries=dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / LIBRARIES).read_text(), re.MULTILINE)),
    )


def load() -> System:
    """A system of one's own, free to be broken."""
    return copy.deepcopy(_loaded())


Rule = Callable[[System], Iterator[str]]
