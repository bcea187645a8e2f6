"""Load a SAM template: read the text, expand it, translate it, and insert its parameters.

text → includes, loops and conditions (expansion) → SAM's resources (translation) → resources whose conditions hold

A part that fails is left out with a line in the report; only text that is not a template is refused. A translation is
kept under a hash of all its inputs, so that a second start does not wait for it. Nested templates are loaded by `open`
when their parent needs them, because their parameters come from its resources.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local import documents, parameters
from local.expansion import Expansion, Static
from local.intrinsics import Resolver, TemplateError, as_text
from local.report import Group, Report
from local.resources import LEFT_OUT, Account
from local.translation import Translation

FORMAT = 4
"""Raised when the form of kept translations changes."""
NESTED_DEEP_MAX = 10


@dataclass(frozen=True, slots=True)
class Code:
    """The place of the code of a function or a layer, and SAM's BuildMethod."""

    path: str | None
    build_method: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A translated template: its resources whose conditions hold, and the resolver for their values.

    `closed` gives the reason why the routes of an API must not be served, by logical id ("*": every API). `files` are
    all input files of the translation. `scratch` is a folder for inline code.
    """

    path: Path
    resources: Mapping[str, Mapping[str, Any]]
    codes: Mapping[str, Code]
    resolver: Resolver
    report: Report = field(default_factory=Report)
    closed: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    scratch: Path = Path(".local/cache")
    ancestors: tuple[Path, ...] = ()

    def open(self, logical_id: str, given: Callable[[str], Any]) -> "Template | None":
        """Load the nested template of a resource; None, with a line in the report, if that is not possible.

        `given` resolves the value that this template gives for a parameter. It is called each time, because queues get
        their addresses later.
        """
        found = self.nested.get(logical_id, {})
        location, raw = found.get("location"), found.get("parameters")
        if isinstance(location, Mapping) and len(location) == 1:
            location = self.attempt(f"{logical_id}, location", location)
        values: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(location, str) or "://" in location or location.startswith("arn:"):
            self.report.add(Group.ELSEWHERE, f"{logical_id}: its template is in no file here ({_where(location)}).")
            return None
        path = (self.path.parent / location).resolve()
        if path in self.ancestors or len(self.ancestors) >= NESTED_DEEP_MAX:
            self.report.add(Group.FAULTS, f"{logical_id}: templates contain each other without end.")
            return None
        account = self.resolver.account
        inner = Account(f"{account.stack}-{logical_id}", account.region, account.id, account.partition)
        texts = {}
        for name in values:
            try:
                texts[name] = as_text(given(name))
            except TemplateError as error:
                self.report.add(Group.FAULTS, f"{logical_id}, parameter {name}: {error}")
        try:
            child = load(
                path, texts, inner, self.scratch, report=self.report.within(logical_id), ancestors=self.ancestors
            )
        except TemplateError as error:
            self.report.add(Group.ELSEWHERE, f"{logical_id}: {error}")
            return None
        child.resolver.parameters = _Given(child.resolver, frozenset(texts), given)
        return child

    def attempt(self, what: str, value: Any) -> Any:
        """Resolve a value; None, with a line in the report, if that is not possible."""
        try:
            return self.resolver.resolve(value)
        except TemplateError as error:
            self.report.add(Group.FAULTS, f"{what}: {error}")
            return None


class _Given(Mapping[str, Any]):
    """The parameters of a nested template, which its parent resolves when they are read."""

    def __init__(self, resolver: Resolver, names: frozenset[str], given: Callable[[str], Any]) -> None:
        self._values = resolver.parameters
        self._declared = resolver.template.get("Parameters", {})
        self._names = names
        self._given = given

    def __getitem__(self, name: str) -> Any:
        if name in self._names and name in self._values:
            return parameters.value(str(self._declared[name].get("Type", "String")), as_text(self._given(name)))
        return self._values[name]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def load(
    path: Path,
    given: Mapping[str, str],
    account: Account,
    cache: Path,
    *,
    report: Report | None = None,
    ancestors: tuple[Path, ...] = (),
) -> Template:
    """Read and translate a template with parameters given by name. A template with `ancestors` is a nested one.

    Raises TemplateError for text that cannot be read, with its line and column, and for given parameters that the
    template does not have or does not allow.
    """
    report = Report() if report is None else report
    path = path.resolve()
    text = documents.text(path)
    group = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    stamp = json.dumps([text, sorted(given.items()), account.stack, account.region, _versions(), bool(ancestors)])
    kept = cache / f"{group}-{hashlib.sha256(stamp.encode()).hexdigest()[:32]}.json"
    found = _kept(kept)
    if found is None:
        found = _translate(path, text, given, account, by_caller=not ancestors)
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{group}-*.json"):
            old.unlink()
        partial = kept.with_suffix(".part")
        partial.write_text(json.dumps(found))
        partial.replace(kept)
    for name, line in found["report"]:
        report.add(Group[name], line)
    document = found["document"]
    resolver = Resolver(document, found["parameters"], account)
    return Template(
        path,
        _standing(document, resolver, report),
        {name: Code(*members) for name, members in found["codes"].items()},
        resolver,
        report,
        found["closed"],
        found["nested"],
        (path, *(Path(file) for file in found["files"])),
        cache,
        (*ancestors, path),
    )


def _versions() -> list[Any]:
    return [version("aws-sam-translator"), FORMAT]


def _kept(file: Path) -> dict[str, Any] | None:
    """Return an earlier translation, or None if it is missing, truncated by a crash, or outdated.

    It is outdated when an included file has changed.
    """
    try:
        found = json.loads(file.read_text())
        return found if all(_digest(Path(name)) == digest for name, digest in found["files"].items()) else None
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _translate(path: Path, text: str, given: Mapping[str, str], account: Account, *, by_caller: bool) -> dict[str, Any]:
    document = documents.parse(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path} has no Resources.")
    lines: list[tuple[Group, str]] = []
    report = Report(lines)
    values = parameters.read(document.get("Parameters"), given, report, by_caller=by_caller)
    declared = document.get("Parameters")
    document["Parameters"] = {
        name: parameter if isinstance(parameter, dict) else {"Type": "String"}
        for name, parameter in (declared if isinstance(declared, dict) else {}).items()
    }
    expansion = Expansion(document, path.parent, Static(document, values, account), report)
    expansion.expand()
    translation = Translation(
        document,
        {name: as_text(value) for name, value in values.items()},
        path.parent,
        account,
        report,
        expansion.closed,
    )
    translated = translation.translate()
    return {
        "document": translated,
        "parameters": values,
        "codes": translation.codes,
        "closed": translation.closed,
        "nested": translation.nested,
        "report": [[group.name, line] for group, line in lines],
        "files": {str(file): _digest(file) for file in (*expansion.files, *translation.files)},
    }


def _standing(document: Mapping[str, Any], resolver: Resolver, report: Report) -> dict[str, Mapping[str, Any]]:
    """Return the resources whose conditions hold."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, resource in document["Resources"].items():
        if resource.get("Type") == LEFT_OUT:
            continue
        try:
            if "Condition" in resource and not resolver.condition(resource["Condition"]):
                continue
        except TemplateError as error:
            report.add(Group.FAULTS, f"{name}: {error}")
            continue
        found[name] = resource if isinstance(resource.get("Properties", {}), dict) else {"Type": resource["Type"]}
    return found


def _where(location: Any) -> str:
    if isinstance(location, Mapping):
        location = location.get("ApplicationId", "an expression")
    text = location if isinstance(location, str) else "no location"
    return re.sub(r"\s+", " ", text)
