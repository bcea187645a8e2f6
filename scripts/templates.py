"""Expand the templates as CloudFormation sees them: SAM's resources translated, loops of nested stacks unrolled."""

import copy
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from local import documents
from local.expansion import Expansion, Static
from local.report import Report
from local.resources import Account

PARAMETERS = {
    "PythonRuntime": "python3.13",
    "Architecture": "arm64",
    "TokenIssuer": "https://issuer.example.com/",
    "TokenJwksUrl": "https://issuer.example.com/jwks.json",
}

Template = dict[str, Any]


def translate(source: Template) -> Template:
    """Translate a SAM template without asking AWS, as if its code had been uploaded."""
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


def nested(source: Template, folder: Path) -> dict[str, Template]:
    """Return the templates of a template's nested stacks, by logical id."""
    return {
        name: expand(folder / resource["Properties"]["TemplateURL"])
        for name, resource in source["Resources"].items()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }


def expand(path: Path) -> Template:
    """Return a nested template with its loops expanded, as CloudFormation expands them."""
    document = documents.read(path)
    Expansion(document, path.parent, Static(document, {}, Account("marquee", "eu-central-1")), Report()).expand()
    expanded: Template = _plain(document)
    return expanded


def mentions(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value refers to by Ref, GetAtt or Sub, at any depth."""
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


def _plain(value: Any) -> Any:
    """Write {Ref: {Fn::Sub: Name}}, which loops leave behind, as {Ref: Name}."""
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), dict):
            return {"Ref": value["Ref"]["Fn::Sub"]}
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
