"""The values of a template's parameters: given, by default, or invented and reported."""

import re
from collections.abc import Mapping
from typing import Any

from local.intrinsics import TemplateError
from local.report import Group, Report

STORED = "AWS::SSM::Parameter::Value<"


def read(declared: Any, given: Mapping[str, str], report: Report, *, by_caller: bool) -> dict[str, Any]:
    """Return a value for each declared parameter.

    A given value that the template does not accept raises TemplateError. For a nested template, whose values come from
    its parent, it is reported. A missing value is invented and reported.
    """
    declared = declared if isinstance(declared, Mapping) else {}
    problems = [f"{name}: the template has no such parameter" for name in given if name not in declared]
    values: dict[str, Any] = {}
    for name, found in declared.items():
        parameter = found if isinstance(found, Mapping) else {}
        kind = str(parameter.get("Type", "String"))
        text = given.get(name)
        if text is not None:
            problem = _problem(parameter, text)
            if problem:
                problems.append(f"{name}: {problem}")
        else:
            text = _made_up(name, kind, parameter, report, by_caller=by_caller)
        values[name] = value(kind, text)
    if problems and by_caller:
        raise TemplateError("\n".join(["Parameters of the template:", *(f"  {problem}" for problem in problems)]))
    for problem in problems:
        report.add(Group.FAULTS, f"Parameter {problem}.")
    return values


def value(kind: str, text: str) -> Any:
    """Return a text in the form of the parameter's type: a list for list types, a text otherwise."""
    if "List<" in kind or "CommaDelimitedList" in kind:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _problem(parameter: Mapping[str, Any], text: str) -> str | None:
    options = parameter.get("AllowedValues", [])
    allowed = [_text(option) for option in options] if isinstance(options, list) else []
    if allowed and text not in allowed:
        return f"{text!r} is none of {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    try:
        if pattern and not re.fullmatch(str(pattern), text):
            return f"{text!r} does not match {pattern}"
    except re.error:
        return None  # a Java pattern that Python does not support
    return None


def _made_up(name: str, kind: str, parameter: Mapping[str, Any], report: Report, *, by_caller: bool) -> str:
    default = parameter.get("Default")
    way = f"Give it with --parameter {name}=VALUE" if by_caller else "Let the parent template give it"
    if default is not None and not isinstance(default, Mapping | list):
        if kind.startswith(STORED):
            report.add(Group.VALUES, f"Parameter {name}: {default} is the name of a stored value. {way}.")
        return _text(default)
    options = parameter.get("AllowedValues")
    text = _text(options[0]) if isinstance(options, list) and options else "0" if kind == "Number" else ""
    report.add(Group.VALUES, f"Parameter {name}: it has no default and was not given; {text!r} is used. {way}.")
    return text


def _text(found: Any) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)
