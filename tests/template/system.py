"""template.yaml as written and as SAM translates it, with what stands beside it in the project."""

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
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

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
    """Everything that rules look at; a copy of it is broken to show that a rule would notice."""

    source: Template
    translated: Template
    folders: set[str]
    openapi: dict[str, Any]
    samples: dict[str, dict[str, Any]]
    documents: dict[str, str]
    libraries: dict[str, str]

    @property
    def resources(self) -> Resources:
        """The translated resources by logical id."""
        found: Resources = self.translated["Resources"]
        return found

    def of_type(self, kind: str) -> Resources:
        """The translated resources of a type, such as AWS::SQS::Queue."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of a translated resource."""
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
    """The function that a reference to its alias (or, wrongly, to itself) means."""
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


@cache
def _loaded() -> System:
    source = yaml_parse((ROOT / "template.yaml").read_text())
    document = ROOT / "docs/openapi.json"
    return System(
        source=source,
        translated=translate(source),
        folders={path.parent.name for path in ROOT.glob("functions/*/app.py")},
        openapi=json.loads(document.read_text()) if document.exists() else {"paths": {}},
        samples={path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")},
        documents={path.name: path.read_text() for path in (ROOT / "docs").rglob("*.md")},
        libraries=dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / LIBRARIES).read_text(), re.MULTILINE)),
    )


def load() -> System:
    """A system of one's own, free to be broken."""
    return copy.deepcopy(_loaded())


Rule = Callable[[System], Iterator[str]]
