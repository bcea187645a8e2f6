"""A SAM template, translated as CloudFormation would, with its parameters filled in.

The translation is kept under a hash of all that goes into it, so that a second start need not wait for it.
"""

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.intrinsics import Resolver, TemplateError
from local.resources import Account

PLACEHOLDER = "s3://local/"
CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


@dataclass(frozen=True, slots=True)
class Code:
    """Where the code of a function or a layer lies, and SAM's BuildMethod."""

    path: str | None
    build_method: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A translated template: its resources whose conditions hold, and the resolver for their values."""

    path: Path
    resources: Mapping[str, Mapping[str, Any]]
    codes: Mapping[str, Code]
    resolver: Resolver


def load(path: Path, given: Mapping[str, str], account: Account, cache: Path) -> Template:
    """Read and translate a template with parameters given by name.

    Raises TemplateError for what cannot be read or translated and for parameters that are missing, unknown or not
    allowed.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}.") from error
    stamp = json.dumps([text, sorted(given.items()), account.region, version("aws-sam-translator"), 3])
    kept = cache / f"{hashlib.sha256(stamp.encode()).hexdigest()[:32]}.json"
    translated = _kept(kept)
    if translated is None:
        translated = _translate(path, text, given, account)
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob("*.json"):
            old.unlink()
        partial = kept.with_suffix(".part")
        partial.write_text(json.dumps(translated))
        partial.replace(kept)
    document = translated["document"]
    resolver = Resolver(document, _parameters(document, given), account)
    resources = {
        name: resource
        for name, resource in document["Resources"].items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }
    codes = {name: Code(*members) for name, members in translated["codes"].items()}
    return Template(path, resources, codes, resolver)


def _kept(file: Path) -> dict[str, Any] | None:
    """A translation of before; None where there is none, or half of one after a crash."""
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _translate(path: Path, text: str, given: Mapping[str, str], account: Account) -> dict[str, Any]:
    # Imported here: it takes half a second, which a kept translation saves.
    os.environ.setdefault("AWS_DEFAULT_REGION", account.region)
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    import yaml
    from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]
    from samtranslator.translator.transform import transform  # type: ignore[import-untyped]
    from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

    try:
        source = yaml_parse(text)
    except yaml.YAMLError as error:
        raise TemplateError(f"{path} is not YAML: {error}") from error
    if not isinstance(source, dict) or not isinstance(source.get("Resources"), dict):
        raise TemplateError(f"{path} has no Resources.")
    codes: dict[str, list[str | None]] = {}
    for name, resource in source["Resources"].items():
        member = CODE.get(resource.get("Type", ""))
        if member is not None:
            properties = resource.setdefault("Properties", {})
            location = properties.get(member, source.get("Globals", {}).get("Function", {}).get(member))
            method = resource.get("Metadata", {}).get("BuildMethod")
            codes[name] = [location if isinstance(location, str) else None, str(method) if method else None]
            properties[member] = PLACEHOLDER + name
    try:
        document = transform(source, dict(given), _NoManagedPolicies())
    except InvalidDocumentException as error:
        causes = "\n".join(f"  {cause.message}" for cause in error.causes)
        raise TemplateError(f"{path} cannot be translated:\n{causes}") from error
    return {"document": json.loads(json.dumps(document)), "codes": codes}


class _NoManagedPolicies:
    """Names of managed policies mean nothing here."""

    def load(self) -> dict[str, str]:
        """No policies."""
        return {}


def _parameters(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = document.get("Parameters", {})
    problems = [f"  {name}: the template has no such parameter" for name in given if name not in declared]
    values: dict[str, Any] = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("Default"))
        if value is None:
            problems.append(f"  {name}: has no default and was not given ({parameter.get('Description', 'required')})")
            continue
        text = str(value)
        allowed = [str(option) for option in parameter.get("AllowedValues", [])]
        if allowed and text not in allowed:
            problems.append(f"  {name}: {text!r} is none of {', '.join(allowed)}")
        pattern = parameter.get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, text):
            problems.append(f"  {name}: {text!r} does not match {pattern}")
        is_list = parameter.get("Type", "String").startswith(("CommaDelimitedList", "List<"))
        values[name] = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
    if problems:
        raise TemplateError("Parameters of the template:\n" + "\n".join(problems))
    return values
