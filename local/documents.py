"""Read YAML or JSON text into plain values: dictionaries with text as keys, lists, text, numbers, booleans.

It accepts the forms of AWS's own tools: short functions (!Ref), dates as text, anchors and merges, byte order marks.
"""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from local.intrinsics import TemplateError

if TYPE_CHECKING:
    from yaml import SafeLoader as Base
else:
    Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast, where it is built in

STANDARD = "tag:yaml.org,2002:"
VALUES_MAX = 1_000_000
DEPTH_MAX = 400
UNCHANGED = ("Ref", "Condition")


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in a file. Raises TemplateError with line and column if there is none."""
    document = parse(text(path), path)
    if not isinstance(document, dict):
        raise TemplateError(f"{path} is not a template: it should contain a mapping such as `Resources:`.")
    return document


def text(path: Path) -> str:
    """Return a file's text, without a byte order mark. Raises TemplateError if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}.") from error
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise TemplateError(
            f"{path}, line {line}, column {column}: this is not UTF-8 text. Save it as UTF-8."
        ) from error


def parse(source: str, path: Path) -> Any:
    """Return the value that a text describes; `path` is named in errors. Raises TemplateError."""
    if source.lstrip().startswith(("{", "[")):
        try:  # YAML does not take JSON with tabs
            return json.loads(source)
        except ValueError as error:
            if path.suffix == ".json" and isinstance(error, json.JSONDecodeError):
                raise TemplateError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}.") from error
        except RecursionError as error:
            raise TemplateError(f"{path}: its values are nested too deeply.") from error
    try:
        return _Plain(path).value(yaml.load(source, _Loader))  # noqa: S506  # a safe loader
    except yaml.reader.ReaderError as error:
        before = source.encode()[: error.position].decode(errors="ignore")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise TemplateError(f"{path}, line {line}, column {column}: a character that YAML does not allow.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = error.problem or error.context or "this is not YAML"
        if "unhashable" in problem:
            problem = "a key is a mapping or a list; put it in quotes if it is text"
        raise TemplateError(f"{path}{where}: {problem}.") from error
    except RecursionError as error:
        raise TemplateError(f"{path}: its values are nested too deeply.") from error
    except (ValueError, TypeError, LookupError) as error:  # such as !!int with letters
        raise TemplateError(f"{path} has a value that YAML cannot read: {error}.") from error


class _Loader(Base):
    """YAML's plain types with CloudFormation's functions. Keys and dates stay as they are written."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return a mapping whose keys are the text in the file: 012345678901 is an account, `on` is not a boolean."""
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag.startswith(STANDARD):
                    key.tag = f"{STANDARD}str"
        return super().construct_mapping(node, deep)


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Convert a short function: !Sub text → {"Fn::Sub": text}; !GetAtt A.B → {"Fn::GetAtt": ["A", "B"]}."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in UNCHANGED else f"Fn::{suffix}": value}


def _as_written(loader: _Loader, node: yaml.Node) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != f"{STANDARD}timestamp"]
    for letter, resolvers in Base.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(f"{STANDARD}timestamp", _as_written)
_Loader.add_multi_constructor("!", _function)


class _Plain:
    """Copies YAML's values: aliases become separate values, and values that JSON lacks become text or a list."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = VALUES_MAX

    def value(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > DEPTH_MAX:  # an anchor inside itself, or anchors of anchors of anchors
            raise TemplateError(f"{self._path}: its anchors expand to more than {VALUES_MAX:,} values or never end.")
        if isinstance(value, dict):
            return {str(key): self.value(member, depth + 1) for key, member in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.value(member, depth + 1) for member in value]
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return value
