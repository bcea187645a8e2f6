"""Expand a template before it is translated: AWS::Include, Fn::ForEach, and Fn::If where SAM wants a plain value.

A part that cannot be expanded is left out and reported, and `closed` names the resources whose protection may be
incomplete because of it. "*" stands for all APIs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from local import documents
from local.intrinsics import NO_VALUE, Reference, Resolver, TemplateError, as_text
from local.report import Group, Report
from local.resources import LEFT_OUT

EXTENSIONS = "AWS::LanguageExtensions"
SERVERLESS = "AWS::Serverless-2016-10-31"
INCLUDE = "AWS::Include"
FOR_EACH = "Fn::ForEach::"
INCLUDES_DEEP_MAX = 10
COPIES_MAX = 10_000
SECTIONS = ("Mappings", "Conditions", "Globals", "Resources", "Outputs")
API_GLOBALS = ("Api", "HttpApi", "WebSocketApi")
PLAIN_MEMBERS = ("AutoPublishAlias", "CodeUri", "ContentUri", "DefinitionUri", "ImageUri", "InlineCode", "Location")
PLAIN_EVENT_MEMBERS = ("Path", "Method")


class Static(Resolver):
    """Resolves values that depend only on parameters, mappings and conditions; raises TemplateError for others."""

    def reference(self, logical_id: str) -> Reference:
        """Refuse: a resource has no name yet."""
        raise TemplateError(f"{logical_id} is not known yet.")

    def unknown(self, name: str, argument: Any) -> Any:
        """Refuse: the value comes from outside."""
        raise TemplateError(f"{name} {argument} is not known here.")


@dataclass
class Expansion:
    """A template's document on its way to SAM's translator."""

    document: dict[str, Any]
    folder: Path
    static: Static
    report: Report
    files: list[Path] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    _part: str = ""
    _copies: int = 0

    def expand(self) -> None:
        """Expand the document in place."""
        self._transforms()
        for section in SECTIONS:
            found = self.document.get(section)
            if not isinstance(found, dict):
                if found is not None:
                    self.report.add(Group.FAULTS, f"{section}: this section should be a mapping.")
                self.document.pop(section, None)
                continue
            self._part = "*" if section == "Globals" else ""
            self.document[section] = self._section(section, found)
        for name, resource in self.document.get("Resources", {}).items():
            if isinstance(resource, dict) and str(resource.get("Type", "")).startswith("AWS::Serverless::"):
                self._part = name
                self._settle(name, resource)
        shared = self.document.get("Globals")
        if shared:
            self._part = "*"
            self.document["Globals"] = chosen = self._attempt("Globals", partial(self._choose, shared), {})
            for section in chosen.values():
                self._fill_in(section)
        if not self.document.get("Globals"):
            self.document.pop("Globals", None)

    def _transforms(self) -> None:
        """Merge the includes at the top of the template, and report macros."""
        named = self.document.get("Transform", [])
        for entry in named if isinstance(named, list) else [named]:
            if isinstance(entry, Mapping) and entry.get("Name") == INCLUDE:
                included = self._include(entry.get("Parameters"), 0)
                for key, member in (included if isinstance(included, dict) else {}).items():
                    mine = self.document.setdefault(key, member)
                    if isinstance(mine, dict) and isinstance(member, dict):
                        self.document[key] = {**member, **mine}
            elif (name := entry.get("Name") if isinstance(entry, Mapping) else entry) not in (EXTENSIONS, SERVERLESS):
                self.report.add(Group.ELSEWHERE, f"Transform {name}: macros do not run here.")
        names = str(named)
        if EXTENSIONS not in names and FOR_EACH in str(self.document):
            self.report.add(Group.FAULTS, f"Transform: Fn::ForEach needs `Transform: {EXTENSIONS}` to be deployed.")
        self.document["Transform"] = SERVERLESS

    def _section(self, section: str, found: dict[str, Any]) -> dict[str, Any]:
        """Expand a section member by member, so that a failure has the member's name."""
        expanded: dict[str, Any] = {}
        for name, member in found.items():
            if section in ("Resources", "Outputs", "Conditions", "Mappings"):
                self._part = name if section == "Resources" else ""
            made = self._attempt(f"{section} {name}", partial(self._walk, {name: member}), {})
            for key, value in made.items():
                expanded[key] = value
                if name in self.closed:
                    self.closed[key] = self.closed[name]
        return expanded

    def _walk(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, list):
            return [self._walk(member, depth) for member in value]
        if not isinstance(value, dict):
            return value
        expanded: dict[str, Any] = {}
        for key, member in value.items():
            if key == "Fn::Transform":
                included = self._transform(member, depth)
                if not isinstance(included, dict):
                    return included
                expanded = {**included, **expanded}
            elif key.startswith(FOR_EACH):
                found: Any = self._attempt(key, partial(self._loop, key, member, depth), {})
                expanded.update(found)
            else:
                expanded[key] = self._walk(member, depth)
        return self._looked_up(expanded)

    def _transform(self, call: Any, depth: int) -> Any:
        """Return the included values, or an empty mapping if they are not here."""
        if isinstance(call, Mapping) and call.get("Name") == INCLUDE:
            return self._include(call.get("Parameters"), depth)
        name = call.get("Name") if isinstance(call, Mapping) else call
        self._fail(Group.ELSEWHERE, f"{self._part or 'The template'} uses the macro {name}, which does not run here.")
        return {}

    def _include(self, parameters: Any, depth: int) -> Any:
        given = parameters.get("Location") if isinstance(parameters, Mapping) else None
        try:
            location = self.static.resolve(given)
        except TemplateError:
            location = None
        where = f" (for {self._part})" if self._part and self._part != "*" else ""
        if not isinstance(location, str) or "://" in location:
            self._fail(Group.ELSEWHERE, f"AWS::Include {location or given}{where}: it is in no folder here.")
            return {}
        path = (self.folder / location).resolve()
        self.files.append(path)
        if depth >= INCLUDES_DEEP_MAX:
            self._fail(Group.FAULTS, f"AWS::Include {location}{where}: files include each other without end.")
            return {}
        try:
            found = documents.parse(documents.text(path), path)
        except TemplateError as error:
            self._fail(Group.ELSEWHERE, f"AWS::Include {location}{where}: {error}")
            return {}
        return self._walk(found, depth + 1)

    def _loop(self, key: str, loop: Any, depth: int) -> dict[str, Any]:
        """Return the copies that Fn::ForEach makes of its body."""
        if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[2], dict):
            raise TemplateError("Fn::ForEach takes an identifier, a collection and a mapping.")
        identifier, body = loop[0], loop[2]
        collection = self.static.resolve(loop[1])
        if isinstance(collection, str):
            collection = [part.strip() for part in collection.split(",") if part.strip()]
        if not isinstance(identifier, str) or not isinstance(collection, list):
            raise TemplateError(f"The collection of {key} is not a list.")
        made: dict[str, Any] = {}
        for item in collection:
            self._copies += 1
            if self._copies > COPIES_MAX:
                raise TemplateError(f"The loops make more than {COPIES_MAX} copies.")
            made.update(self._walk(_filled(body, identifier, as_text(item)), depth))
        return made

    def _looked_up(self, value: dict[str, Any]) -> Any:
        """Resolve Fn::FindInMap with a default or with functions as keys, which SAM's translator does not support."""
        arguments = value.get("Fn::FindInMap")
        if len(value) != 1 or not isinstance(arguments, list):
            return value
        if len(arguments) > 3 or any(isinstance(argument, dict) for argument in arguments):
            try:
                return self.static.resolve(value)
            except TemplateError:
                return value
        return value

    def _settle(self, name: str, resource: dict[str, Any]) -> None:
        """Choose the branches of Fn::If and insert the few members that SAM needs as plain text."""
        settled = self._attempt(name, partial(self._choose, resource.get("Properties")), NO_VALUE)
        if settled is NO_VALUE:
            resource["Type"] = LEFT_OUT
            return
        if "Properties" in resource:
            resource["Properties"] = settled
        self._fill_in(settled)

    def _fill_in(self, settled: Any) -> None:
        if not isinstance(settled, dict):
            return
        members = [(settled, member) for member in PLAIN_MEMBERS]
        events = settled.get("Events")
        for event in events.values() if isinstance(events, dict) else ():
            properties = event.get("Properties") if isinstance(event, dict) else None
            if isinstance(properties, dict):
                members += [(properties, member) for member in PLAIN_EVENT_MEMBERS]
        for holder, member in members:
            if isinstance(holder.get(member), dict):
                holder[member] = self._plain(holder[member])

    def _plain(self, value: dict[str, Any]) -> Any:
        """Return the value if parameters determine it, else the expression."""
        try:
            found = self.static.resolve(value)
        except TemplateError:
            return value
        return None if found is NO_VALUE else found

    def _choose(self, value: Any) -> Any:
        if isinstance(value, list):
            return [member for member in map(self._choose, value) if member is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and "Fn::If" in value:
            branches = value["Fn::If"]
            if not isinstance(branches, list) or len(branches) != 3:
                raise TemplateError("Fn::If takes a condition and two values.")
            return self._choose(branches[1 if self.static.condition(branches[0]) else 2])
        if value == {"Ref": "AWS::NoValue"}:
            return NO_VALUE
        chosen = {key: self._choose(member) for key, member in value.items()}
        return {key: member for key, member in chosen.items() if member is not NO_VALUE}

    def _attempt(self, what: str, work: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return work()
        except TemplateError as error:
            self._fail(Group.FAULTS, f"{what}: {error}")
            return otherwise

    def _fail(self, group: Group, line: str) -> None:
        self.report.add(group, line)
        if self._part:
            self.closed.setdefault(self._part, f"a part of its description is missing: {line.rstrip('.')}")


def _filled(value: Any, identifier: str, item: str) -> Any:
    """Replace ${Identifier}, &{Identifier} (letters and digits only) and {"Ref": "Identifier"} by an item."""
    if isinstance(value, str):
        letters = re.sub(r"[^A-Za-z0-9]", "", item)
        return value.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", letters)
    if isinstance(value, list):
        return [_filled(member, identifier, item) for member in value]
    if isinstance(value, dict):
        if value == {"Ref": identifier}:
            return item
        return {_filled(key, identifier, item): _filled(member, identifier, item) for key, member in value.items()}
    return value
