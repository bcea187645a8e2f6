"""Translate SAM's resources into CloudFormation's. Parts that SAM refuses are left out and reported, and the rest runs.

SAM's translator refuses a document as a whole and names the resources and events at fault. Each round removes those and
tries again. A fault without a name (an exception inside the translator) is found by translating fewer resources. Each
round removes something, so the number of rounds is bounded.
"""

import copy
import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import auth_checks, documents
from local.intrinsics import TemplateError
from local.report import Group, Report, listed
from local.resources import LEFT_OUT, Account

PLACEHOLDER = "s3://local/"
FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
APPLICATION = "AWS::Serverless::Application"
STACK = "AWS::CloudFormation::Stack"
APIS = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi")
IMPLICIT_API = "ServerlessRestApi"
API_SECTIONS = ("Api", "HttpApi", "WebSocketApi")
NEEDED = frozenset(
    {
        "Architectures",
        "AutoPublishAlias",
        "CodeUri",
        "Environment",
        "EventInvokeConfig",
        "Events",
        "FunctionName",
        "Handler",
        "ImageUri",
        "InlineCode",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "PackageType",
        "ReservedConcurrentExecutions",
        "Runtime",
        "Timeout",
    }
)
"""The properties of a function that count here, except Role. Without the others a function still runs."""
ANY_ROLE = "arn:aws:iam::123456789012:role/local"
RESOURCE = re.compile(r"Resource with id \[(.+?)\] is invalid")
EVENT = re.compile(r"Event with id \[(.+?)\] is invalid")
DUPLICATE = re.compile(r"Transforming resource with id \[(.+?)\]")
GLOBAL_MEMBER = re.compile(r"'Globals' section is invalid\. '(\w+)' is not a supported property of '(\w+)'")
GLOBAL_SECTION = re.compile(r"'Globals' section is invalid\. '(\w+)' is not supported")
WORDS_MAX = 300


@dataclass
class Translation:
    """A document for SAM's translator, and the findings about it."""

    document: dict[str, Any]
    given: dict[str, str]
    folder: Path
    account: Account
    report: Report
    closed: dict[str, str]
    codes: dict[str, list[str | None]] = field(default_factory=dict)
    nested: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    _faults: dict[str, str] = field(default_factory=dict)

    def translate(self) -> dict[str, Any]:
        """Return the translated document; `codes` and `nested` are filled."""
        self._resources = self.document["Resources"]
        self._close_doubtful()
        for name in list(self._resources):
            if self._sound(name):
                self._prepare(name, self._resources[name])
        translated = self._rounds()
        for name, line in self._faults.items():
            self.report.add(Group.FAULTS, f"{name}: {line}")
        return translated

    def _close_doubtful(self) -> None:
        """Close the APIs whose protection SAM would silently ignore."""
        shared: Any = self.document.get("Globals")
        shared = auth_checks.of(shared.get("Api") if isinstance(shared, dict) else None)
        properties = {
            name: resource.get("Properties")
            for name, resource in self._resources.items()
            if isinstance(resource, dict) and resource.get("Type") in APIS
        }
        for name, found in {IMPLICIT_API: None, **properties}.items():
            reason = auth_checks.doubt(shared, auth_checks.of(found))
            if reason is not None:
                self.closed.setdefault(name, reason)

    # Forms that SAM needs, and the template may have in another way.

    def _sound(self, name: str) -> bool:
        """Check the form of a resource; leave out a malformed one."""
        resource = self._resources[name]
        problem = None
        if not isinstance(resource, dict):
            problem = "it is empty" if resource is None else "it is no mapping"
        elif resource.get("Type") == LEFT_OUT:
            return False
        elif not isinstance(resource.get("Type"), str):
            problem = "it has no Type"
        elif not isinstance(resource.get("Properties", {}), dict | None):
            problem = "its Properties are no mapping"
        if problem is not None:
            self._leave_out(name, f"{problem}.")
            return False
        if resource.get("Properties", {}) is None:
            resource.pop("Properties")
        properties = resource.get("Properties", {})
        for member in [member for member, value in properties.items() if value is None]:
            self.report.add(Group.FAULTS, f"{name}.{member}: it is empty.")
            del properties[member]
        return True

    def _prepare(self, name: str, resource: dict[str, Any]) -> None:
        kind = resource["Type"]
        if kind == FUNCTION:
            self._prepare_function(name, resource)
        elif kind == LAYER:
            properties = resource.setdefault("Properties", {})
            self.codes[name] = [_location(properties.get("ContentUri", ".")), self._build_method(resource)]
            properties["ContentUri"] = PLACEHOLDER + name
        elif kind == APPLICATION:
            properties = resource.get("Properties", {})
            self.nested[name] = {"location": properties.get("Location"), "parameters": properties.get("Parameters")}
            kept = {key: member for key, member in resource.items() if key in ("Condition", "DependsOn")}
            self._resources[name] = {**kept, "Type": STACK, "Properties": {}}
        elif kind == STACK:
            properties = resource.get("Properties", {})
            self.nested[name] = {"location": properties.get("TemplateURL"), "parameters": properties.get("Parameters")}
        elif kind == "AWS::Serverless::StateMachine" and "DefinitionUri" in resource.get("Properties", {}):
            properties = resource["Properties"]
            del properties["DefinitionUri"]
            properties.setdefault("Definition", {"StartAt": "Local"})  # it does not run here, and SAM takes no file
        elif kind in APIS:
            self._read_definition(name, resource, "DefinitionUri", "DefinitionBody")
            self._drop_empty_paths(name)
        elif kind == "AWS::ApiGateway::RestApi":
            self._read_definition(name, resource, "BodyS3Location", "Body")

    def _prepare_function(self, name: str, resource: dict[str, Any]) -> None:
        properties = resource.setdefault("Properties", {})
        events: Any = properties.get("Events", {})
        if not isinstance(events, dict):
            properties.pop("Events")
            self.report.add(Group.FAULTS, f"{name}.Events: it is no mapping.")
        else:
            for key in [key for key, event in events.items() if not isinstance(event, dict) or "Type" not in event]:
                del events[key]
                self.report.add(Group.FAULTS, f"{name}.Events.{key}: it has no Type.")
            for key, event in list(events.items()):
                reason = auth_checks.event_doubt(event, incomplete=name in self.closed)
                if reason is not None:
                    del events[key]
                    self.report.add(Group.FAULTS, f"{name}.Events.{key}: {reason}, so it is not served.")
        shared = self.document.get("Globals", {})
        shared = shared.get("Function") if isinstance(shared, dict) else None
        merged = {**(shared if isinstance(shared, dict) else {}), **properties}
        if merged.get("PackageType") == "Image" or "ImageUri" in merged:
            properties["PackageType"] = "Image"
            if not isinstance(properties.get("ImageUri"), str):
                properties["ImageUri"] = "local/image:latest"  # `sam build` would put it in; images do not run here
            for member in ("CodeUri", "Handler", "Runtime"):
                properties.pop(member, None)
            return
        if "InlineCode" in properties:
            return
        self.codes[name] = [_location(merged.get("CodeUri", ".")), self._build_method(resource)]
        properties["CodeUri"] = PLACEHOLDER + name

    @staticmethod
    def _build_method(resource: dict[str, Any]) -> str | None:
        metadata = resource.get("Metadata")
        method = metadata.get("BuildMethod") if isinstance(metadata, dict) else None
        return str(method) if method else None

    def _read_definition(self, name: str, resource: dict[str, Any], given: str, body: str) -> None:
        """Replace the name of an OpenAPI file by its contents, if the file is here."""
        properties = resource.get("Properties", {})
        location = properties.get(given)
        if not isinstance(location, str) or "://" in location or body in properties:
            return
        path = (self.folder / location).resolve()
        self.files.append(path)
        try:
            properties[body] = documents.read(path)
        except TemplateError as error:
            self.report.add(Group.ELSEWHERE, f"{name}.{given}: {error}")
            self._resources[name] = {"Type": LEFT_OUT}
            return
        del properties[given]

    def _drop_empty_paths(self, name: str) -> None:
        """Drop paths and methods without a description: they have no integration, and SAM refuses the whole API."""
        body = self._resources[name].get("Properties", {}).get("DefinitionBody")
        paths = body.get("paths") if isinstance(body, dict) else None
        if not isinstance(paths, dict):
            return
        for path, methods in list(paths.items()):
            if not isinstance(methods, dict):
                self.report.add(Group.FAULTS, f"{name}, {path}: it has no methods.")
                del paths[path]
                continue
            for method in [method for method, found in methods.items() if found is None]:
                self.report.add(Group.FAULTS, f"{name}, {method} {path}: it is empty.")
                del methods[method]

    # Rounds of translation.

    def _rounds(self) -> dict[str, Any]:
        while True:
            found, said = _translated(self.document, self.given, self.account.region)
            if found is not None:
                return found
            if not sum(self._mend(message) for message in said):
                self._mend_unnamed(said)

    def _mend(self, message: str) -> bool:
        """Remove the parts that a message of the translator names. Returns whether anything was removed."""
        member, section = GLOBAL_MEMBER.search(message), GLOBAL_SECTION.search(message)
        if member:
            return self._drop_global(member.group(2), member.group(1))
        if section:
            return self._drop_global(section.group(1))
        if "'Globals' section is invalid" in message:
            return self._drop_globals("SAM does not take it")
        resource, event = RESOURCE.search(message) or DUPLICATE.search(message), EVENT.search(message)
        name = resource.group(1) if resource else None
        if name in self._resources:
            if event and self._drop_event(str(name), event.group(1), message):
                return True
            return self._reduce(str(name), message)
        for holder, found in self._resources.items():
            connectors = found.get("Connectors")
            for key in connectors if isinstance(connectors, dict) else ():
                if name == holder + str(key):
                    found["Connectors"] = {other: member for other, member in connectors.items() if other != key}
                    self._faults[f"{holder}.Connectors.{key}"] = _worded(message)
                    return True
        holders = [
            (holder, key)
            for holder, key in self._events()
            if name == holder + key or (event and event.group(1) in (key, holder + key))
        ]
        return len(holders) == 1 and self._drop_event(*holders[0], message)

    def _mend_unnamed(self, said: list[str]) -> None:
        """Find the first resource with which the translation fails, and reduce it."""
        serverless = sorted(
            (name for name, resource in self._resources.items() if _serverless(resource)),
            key=lambda name: _rank(self._resources[name]),
        )
        message = said[0] if said else "SAM's translator cannot read it."
        low, high = 0, len(serverless)
        if self._fails_with(serverless[:0]):
            if self.document.get("Globals"):
                self._drop_globals(message)
            else:  # a section that SAM reads but that is not a resource
                for name in serverless:
                    self._leave_out(name, message)
                for section in ("Outputs", "Conditions"):
                    self.document.pop(section, None)
                if not serverless:
                    raise TemplateError(f"The template cannot be translated: {message}")
            return
        while high - low > 1:  # translating the first `low` works, the first `high` fails
            middle = (low + high) // 2
            low, high = (low, middle) if self._fails_with(serverless[:middle]) else (middle, high)
        culprit = serverless[high - 1]
        named = EVENT.search(message)
        if not (named and self._drop_event(culprit, named.group(1), message)):
            self._reduce(culprit, message)

    def _fails_with(self, names: list[str]) -> bool:
        resources = {
            name: resource if name in names or not _serverless(resource) else {"Type": LEFT_OUT}
            for name, resource in self._resources.items()
        }
        return _translated({**self.document, "Resources": resources}, self.given, self.account.region)[0] is None

    def _reduce(self, name: str, message: str) -> bool:
        """Take one step: drop the parts of a function that do not count here, then its events, then all of it."""
        resource = self._resources[name]
        if resource["Type"] == LEFT_OUT:
            return False
        properties = resource.get("Properties")
        if resource.pop("Connectors", None) is not None:
            self._faults[name] = f"{_worded(message)} It runs without its connectors."
            return True
        if resource["Type"] == FUNCTION and isinstance(properties, dict):
            spare = sorted(member for member in properties if member not in NEEDED)
            if properties.get("Role") != ANY_ROLE:
                for member in spare:
                    del properties[member]
                resource.pop("IgnoreGlobals", None)
                properties["Role"] = ANY_ROLE
                self._faults[name] = f"{_worded(message)} It runs without {listed(spare) or 'a role'}."
                return True
            if properties.pop("Events", None):
                self._faults[name] = f"{_worded(message)} It runs without its events."
                return True
        self._leave_out(name, message)
        return True

    def _drop_event(self, name: str, event: str, message: str) -> bool:
        events = self._resources[name].get("Properties", {}).get("Events")
        if not isinstance(events, dict) or event not in events:
            return False
        del events[event]
        self._faults[f"{name}.Events.{event}"] = _worded(message)
        return True

    def _drop_global(self, section: str, member: str | None = None) -> bool:
        """Drop a part of Globals. Routes close, because a misspelled part may be the one that protects them."""
        found = self.document.get("Globals")
        if not isinstance(found, dict) or section not in found:
            return False
        what = f"Globals.{section}" + (f".{member}" if member else "")
        if not (member and isinstance(found[section], dict) and found[section].pop(member, None) and found[section]):
            del found[section]
        if not found:
            del self.document["Globals"]
        self._faults[what] = "SAM has no such setting."
        if section in API_SECTIONS or section not in ("Function", "SimpleTable", "StateMachine", "LayerVersion"):
            self.closed.setdefault("*", f"{what} is not a setting of SAM, and may be meant to protect routes")
        return True

    def _drop_globals(self, message: str) -> bool:
        if self.document.pop("Globals", None) is None:
            return False
        self._faults["Globals"] = _worded(message)
        self.closed.setdefault("*", "Globals, which may protect routes, has a mistake")
        return True

    def _leave_out(self, name: str, message: str) -> None:
        self._resources[name] = {"Type": LEFT_OUT}
        self._faults[name] = _worded(message)

    def _events(self) -> Iterator[tuple[str, str]]:
        for name, resource in self._resources.items():
            properties = resource.get("Properties")
            events = properties.get("Events") if isinstance(properties, dict) else None
            for key in events if isinstance(events, dict) else ():
                yield name, str(key)


def _translated(
    document: dict[str, Any], given: dict[str, str], region: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return SAM's translation, or None and SAM's messages about the document."""
    # Imported here, because it takes half a second, which a kept translation saves.
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    from samtranslator.model.exceptions import ExceptionWithMessage  # type: ignore[import-untyped]
    from samtranslator.model.exceptions import InvalidDocumentException as Invalid
    from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

    if not any(_serverless(resource) for resource in document["Resources"].values()):
        kept = {key: member for key, member in document.items() if key not in ("Transform", "Globals")}
        return copy.deepcopy(kept), []
    try:
        found = transform(copy.deepcopy(document), dict(given), _NoManagedPolicies())
        return json.loads(json.dumps(found)), []
    except Invalid as error:
        return None, [cause.message for cause in error.causes]
    except ExceptionWithMessage as error:
        return None, [error.message]
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError, NotImplementedError, RecursionError):
        return None, []  # SAM's translator fails on forms that it does not expect


class _NoManagedPolicies:
    """Ignores names of managed policies, which mean nothing here."""

    def load(self) -> dict[str, str]:
        """Return no policies."""
        return {}


def _serverless(resource: Any) -> bool:
    return isinstance(resource, dict) and (
        str(resource.get("Type", "")).startswith("AWS::Serverless::") or "Connectors" in resource
    )


def _rank(resource: dict[str, Any]) -> int:
    """Rank APIs first and connectors last, because a resource can be translated only with those that it names."""
    kind = resource["Type"]
    if kind == "AWS::Serverless::Connector" or "Connectors" in resource:
        return 3
    return 0 if kind in APIS else 2 if kind == FUNCTION else 1


def _location(given: Any) -> str | None:
    """Return a path in the template's folder; None for code that is elsewhere."""
    return given if isinstance(given, str) and "://" not in given else None


def _worded(message: str) -> str:
    """Return SAM's sentence in one line, without the name of the part."""
    text = " ".join(re.sub(r"^((Resource|Event) with id \[.+?\] is invalid\. )+", "", message).split())
    text = text if len(text) <= WORDS_MAX else text[:WORDS_MAX] + " …"
    return text if text.endswith((".", "…")) else f"{text}."
