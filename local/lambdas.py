"""Read functions and layers from a translated template."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.report import Group
from local.resources import AsyncPolicy, Function, Layer
from local.template import Template

UNSUPPORTED = ("FileSystemConfigs", "ImageConfig", "DurableConfig")
NAME_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Part:
    """A function in its template: resolved properties, alias, and the properties of its EventInvokeConfig."""

    logical_id: str
    prefix: str
    template: Template
    properties: Mapping[str, Any]
    alias: str | None
    invoke_config: Mapping[str, Any] | None


def read(part: Part, layers: Mapping[str, Layer]) -> Function | str:
    """Return the function, or the reason why it does not run here. `layers` are those of all templates, by ARN."""
    properties, report = part.properties, part.template.report
    runtime = str(properties.get("Runtime", ""))
    if not runtime.startswith("python"):
        image = "a container image" if properties.get("PackageType") == "Image" else "no runtime"
        return f"runtime {runtime}" if runtime else image
    code = _code(part)
    if isinstance(code, str):
        return code
    for member in UNSUPPORTED:
        if member in properties:
            report.add(Group.SETTINGS, f"{part.logical_id}.{member}")
    reference = part.template.resolver.reference(part.logical_id)
    logging = properties.get("LoggingConfig", {})
    reserved = properties.get("ReservedConcurrentExecutions")
    return Function(
        logical_id=part.prefix + part.logical_id,
        name=reference.ref,
        title=title(part.prefix + part.logical_id),
        arn=reference.attributes["Arn"],
        code=code,
        handler=str(properties.get("Handler", "")),
        runtime=runtime,
        timeout_seconds=float(_number(part, "Timeout", 3)),
        memory_megabytes=int(_number(part, "MemorySize", 128)),
        environment=_environment(part),
        layers=_layers(part, layers),
        alias=part.alias,
        reserved_concurrency=None if reserved is None else int(_number(part, "ReservedConcurrentExecutions", 1)),
        log_format=str(logging.get("LogFormat", "Text")),
        log_level=logging.get("ApplicationLogLevel"),
        policy=_policy(part),
    )


def layer(name: str, template: Template, properties: Mapping[str, Any]) -> Layer:
    """Return the layer, whose folder need not exist: a function that uses it reports that."""
    content = properties.get("Content", {})
    folder = _folder(template, content)
    key = content.get("S3Key") if isinstance(content, Mapping) else None
    built = bool(key in template.codes and template.codes[str(key)].build_method)
    return Layer(name, folder if folder is not None else Path("in S3"), built)


def physical_name(stack: str, logical_id: str) -> str:
    """Return a function's name in CloudFormation's form: unique, and not longer than Lambda allows."""
    name = f"{stack}-{logical_id}"
    if len(name) <= NAME_LENGTH_MAX:
        return name
    return f"{name[: NAME_LENGTH_MAX - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def title(logical_id: str) -> str:
    """Return a function's name on the terminal: ProcessBatchFunction becomes process-batch."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", logical_id.removesuffix("Function") or logical_id)
    return words.lower()


def plain(value: Any) -> str:
    """Return a value as text, in the form in which CloudFormation passes it to a service."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _code(part: Part) -> Path | str:
    """Return the folder of a function's code, or the reason why there is none."""
    code = part.properties.get("Code")
    if isinstance(code, Mapping) and isinstance(code.get("ZipFile"), str):
        folder = part.template.scratch.absolute() / "inline" / (part.prefix + part.logical_id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.py").write_text(code["ZipFile"])
        return folder
    found = _folder(part.template, code)
    if found is None or not found.is_dir():
        return f"its code is in no folder here: {found or 'in S3'}"
    return found


def _folder(template: Template, code: Any) -> Path | None:
    location: str | None = None
    if isinstance(code, str):
        location = code if "://" not in code else None
    elif isinstance(code, Mapping) and isinstance(code.get("S3Key"), str) and code["S3Key"] in template.codes:
        location = template.codes[code["S3Key"]].path
    return None if location is None else (template.path.parent / location).resolve()


def _environment(part: Part) -> dict[str, str]:
    """Return the variables, each resolved separately: a failure does not affect the others."""
    raw: Any = part.template.resources[part.logical_id].get("Properties", {}).get("Environment", {})
    variables = raw.get("Variables", {}) if isinstance(raw, Mapping) else {}
    if len(variables) < 2 or "Variables" not in raw:  # the whole mapping may be an expression
        whole = part.template.attempt(f"{part.logical_id}.Environment", raw)
        variables = whole.get("Variables", {}) if isinstance(whole, Mapping) else {}
    found: dict[str, str] = {}
    for name, value in variables.items():
        one = part.template.attempt(f"{part.logical_id}, variable {name}", {"value": value})
        if one:
            found[str(name)] = plain(one["value"])
    return found


def _layers(part: Part, layers: Mapping[str, Layer]) -> tuple[Layer, ...]:
    found, report = [], part.template.report
    given = part.properties.get("Layers", [])
    for arn in given if isinstance(given, list) else [given]:
        one = layers.get(str(arn))
        if one is None:
            report.add(
                Group.FUNCTIONS, f"Layer {arn} of {part.logical_id}: install what it contains in this environment"
            )
        elif not one.content.is_dir():
            report.add(Group.FUNCTIONS, f"Layer {one.logical_id} (its content is in no folder here: {one.content})")
        else:
            found.append(one)
    return tuple(found)


def _policy(part: Part) -> AsyncPolicy:
    properties = part.invoke_config
    if properties is None:
        letters = part.properties.get("DeadLetterConfig") or {}
        return AsyncPolicy(on_failure=letters.get("TargetArn"))
    destinations = properties.get("DestinationConfig", {})
    return AsyncPolicy(
        int(properties.get("MaximumRetryAttempts", 2)),
        int(properties.get("MaximumEventAgeInSeconds", 21_600)),
        destinations.get("OnFailure", {}).get("Destination"),
        destinations.get("OnSuccess", {}).get("Destination"),
    )


def _number(part: Part, member: str, default: float) -> float:
    value = part.properties.get(member, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        part.template.report.add(
            Group.FAULTS, f"{part.logical_id}.{member}: {value!r} is not a number; {default} is used."
        )
        return default
