"""Read the prose of a file: Markdown, the texts of Python, the comments and sentences of SQL, and of templates."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as Loader
else:
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast, where it is built in

CODE = "Xcode"
"""Stands for code in a sentence, as one word that no rule matches."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph whose lines know their numbers. The first sentence of a header must be an imperative."""

    lines: tuple[tuple[int, str], ...]
    is_header: bool = False


def blocks_of(path: str, text: str) -> list[Block]:
    """Return the prose of a file, by its kind."""
    suffix = Path(path).suffix
    if suffix == ".md":
        return list(_markdown(text))
    if suffix == ".sql":
        return list(_sql(text, has_header=path.startswith("sql/routines/")))
    if suffix == ".yaml":
        return list(_template(text))
    return list(_python(text, path))


_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+]|(?P<number>\d+)[.)])\s+")


class Items:
    """Finds the markers of list items, line by line."""

    def __init__(self) -> None:
        """Start outside a list."""
        self._last = 0

    def marker(self, line: str, *, is_in_paragraph: bool) -> str:
        """Return the marker at the start of a line, or an empty string.

        Inside a paragraph, a number that does not continue a list is the end of a sentence.
        """
        found = _ITEM.match(line)
        if found is None:
            return ""
        number = int(found["number"] or 0)
        if is_in_paragraph and number not in {0, 1, self._last + 1}:
            return ""
        self._last = number
        return found.group()


def _markdown(text: str) -> Iterator[Block]:
    paragraph: list[tuple[int, str]] = []
    is_code = False
    items = Items()
    for number, line in enumerate(text.splitlines(), 1):
        is_fence = _FENCE.match(line) is not None
        starts_anew = is_fence or is_code or not line.strip() or line.lstrip().startswith(("#", "|", "<!--"))
        marker = "" if is_code else items.marker(line, is_in_paragraph=bool(paragraph))
        if paragraph and (starts_anew or marker):
            yield Block(tuple(paragraph))
            paragraph = []
        is_code ^= is_fence
        if is_fence or is_code or not line.strip() or line.lstrip().startswith("<!--"):
            continue
        if line.lstrip().startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                if re.search(r"\w", cell):
                    yield Block(((number, cell.strip()),))
        elif line.lstrip().startswith("#"):
            yield Block(((number, line.strip("# ")),))
        else:
            paragraph.append((number, line.removeprefix(marker).strip("> ")))
    if paragraph:
        yield Block(tuple(paragraph))


_DIRECTIVE = re.compile(r"(noqa|type:|fmt:|pragma|mypy:|ruff:|sqlfluff:|squawk-ignore|!/|-\*-)")


def _python(text: str, path: str) -> Iterator[Block]:
    nodes = list(ast.walk(ast.parse(text)))
    docstrings = set()
    for node in nodes:
        body = getattr(node, "body", None)
        for place, statement in enumerate(body if isinstance(body, list) else []):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                if not isinstance(statement.value.value, str):
                    continue  # an ellipsis
                docstrings.add(id(statement.value))
                is_header = place == 0 and _is_imperative(node, path)
                yield from _docstring(statement.value, is_header=is_header)
    if not path.startswith("tests/"):
        yield from _sentences_in(nodes, docstrings)
    if "#" in text:  # tokenizing takes the most time
        yield from _python_comments(text)


_DESCRIBED = ("property", "computed_field", "invariant()")


def _is_imperative(node: ast.AST, path: str) -> bool:
    """Return whether a docstring describes an act, and no fact as properties, tests, rules and invariants do."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    if path.startswith("tests/") and (node.name.startswith("test_") or path.endswith("_rules.py")):
        return False
    return not any(ast.unparse(decorator).endswith(_DESCRIBED) for decorator in node.decorator_list)


def _docstring(node: ast.Constant, *, is_header: bool) -> Iterator[Block]:
    lines = list(enumerate(str(node.value).splitlines(), node.lineno))
    prose = [(number, "" if _is_example(line, node.col_offset) else line) for number, line in lines[1:]]
    for index, block in enumerate(_paragraphs([lines[0], *prose] if lines else [])):
        yield Block(block.lines, is_header and index == 0)


def _is_example(line: str, base: int) -> bool:
    """Find lines of code: they are indented further than the text around them."""
    return len(line) - len(line.lstrip()) >= base + 4


def _paragraphs(lines: Iterable[tuple[int, str]]) -> Iterator[Block]:
    paragraph: list[tuple[int, str]] = []
    items = Items()
    for number, line in lines:
        marker = items.marker(line, is_in_paragraph=bool(paragraph))
        if paragraph and (marker or not line.strip()):
            yield Block(tuple(paragraph))
            paragraph = []
        if line.strip():
            paragraph.append((number, line.removeprefix(marker).strip()))
    if paragraph:
        yield Block(tuple(paragraph))


_SENTENCE = re.compile(r"^(?!(?:select|with|insert|update|delete) )[\"“(]?[A-Za-z{%].*[.!?][)\"”]?$", re.DOTALL)
WORDS_MIN = 3


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= WORDS_MIN and _SENTENCE.match(text.strip()) is not None


def _sentences_in(nodes: Sequence[ast.AST], docstrings: set[int]) -> Iterator[Block]:
    """Return the strings that people read: sentences, error messages, and descriptions of fields and routes."""
    described = {
        id(keyword.value)
        for node in nodes
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"description", "summary", "help"}
    }
    printed = {
        id(argument)
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for argument in node.args
        if len((_string(argument) or "").split()) >= WORDS_MIN
    }
    raised = {
        id(argument)
        for node in nodes
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for argument in node.exc.args
        if len((_string(argument) or "").split()) >= WORDS_MIN
    }
    read = described | printed | raised
    inner = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if not isinstance(node, ast.expr) or id(node) in docstrings or id(node) in inner:
            continue
        text = _string(node)
        if text is not None and (id(node) in read or _is_sentence(text)):
            yield from _paragraphs([(node.lineno, text.replace("\n", " "))])


def _string(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else CODE for part in node.values)
    return None


def _python_comments(text: str) -> Iterator[Block]:
    yield from _comments(
        [
            (token.start[0], token.string, not token.line[: token.start[1]].strip())
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        ],
        "#",
    )


_REASON = re.compile(r" - | +# +")
"""Stands between a directive and the reason for it."""


def _comments(comments: Iterable[tuple[int, str, bool]], sign: str) -> Iterator[Block]:
    """Join the comments of consecutive lines; a comment beside code stands alone."""
    lines: list[tuple[int, str]] = []
    for number, comment, is_alone in comments:
        text = comment.lstrip(sign).strip()
        if _DIRECTIVE.match(text):
            text = _REASON.split(text, maxsplit=1)[1] if _REASON.search(text) else ""
        if lines and (not is_alone or lines[-1][0] != number - 1):
            yield from _paragraphs(lines)
            lines = []
        lines.append((number, text))
        if not is_alone:
            yield from _paragraphs(lines)
            lines = []
    yield from _paragraphs(lines)


_SQL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"^\w+\.\w+: ")


def _sql(text: str, *, has_header: bool) -> Iterator[Block]:
    comments: list[tuple[int, str, bool]] = []
    for match in _SQL.finditer(text):
        found, number = match.group(), text.count("\n", 0, match.start()) + 1
        if found.startswith("--"):
            start = text.rfind("\n", 0, match.start()) + 1
            comments.append((number, found, not text[start : match.start()].strip()))
        elif found.startswith("'"):
            sentence = re.sub(r"\s*\n\s*", " ", found[1:-1].replace("''", "'"))
            if _is_sentence(sentence):
                yield Block(((number, sentence),))
    for index, block in enumerate(_comments(comments, "-")):
        (number, first), *others = block.lines
        if index == 0 and _NAME.match(first):
            described = _NAME.sub("", first)
            yield Block(((number, described[:1].upper() + described[1:]), *others), has_header)
        else:
            yield block


_YAML_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)


def _template(text: str) -> Iterator[Block]:
    """Return the descriptions and the comments of a CloudFormation template. A scalar may contain number signs."""
    scalars: list[yaml.ScalarNode] = []
    described: list[yaml.ScalarNode] = []
    if (root := yaml.compose(text, Loader=Loader)) is not None:
        _collect(root, scalars, described, set())
    for node in described:
        yield from _paragraphs([(node.start_mark.line + 1, node.value.replace("\n", " "))])
    inside = {place for node in scalars for place in range(node.start_mark.index, node.end_mark.index)}
    comments = [match for match in _YAML_COMMENT.finditer(text) if match.start() not in inside]
    yield from _comments(
        [
            (
                text.count("\n", 0, match.start()) + 1,
                match.group(),
                not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip(),
            )
            for match in comments
        ],
        "#",
    )


def _collect(
    node: yaml.Node, scalars: list[yaml.ScalarNode], described: list[yaml.ScalarNode], visited: set[int]
) -> None:
    """Add the scalars below a node to one list, and those that a description holds to the other, each once."""
    if id(node) in visited:  # an alias
        return
    visited.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        scalars.append(node)
    elif isinstance(node, yaml.SequenceNode):
        for member in node.value:
            _collect(member, scalars, described, visited)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value.endswith("Description"):
                described += _texts(value)
            _collect(key, scalars, described, visited)
            _collect(value, scalars, described, visited)


def _texts(value: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Return the text of a description, which can be the first argument of Fn::Sub."""
    if isinstance(value, yaml.ScalarNode):
        yield value
    elif isinstance(value, yaml.MappingNode):
        for _key, inner in value.value:
            yield from _texts(inner)
