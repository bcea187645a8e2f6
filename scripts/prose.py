"""Check the project's English: sentence length, first words, the word list, and the rate of vague words.

    make prose                                        # everything, with a summary per folder
    make prose FOLDER=docs SUMMARY=1                  # one folder, the summary only
    python -m scripts.prose README.md functions/book  # some paths

It reads Markdown, the docstrings, comments and sentences in Python, and the comments and sentences in SQL. Route
summaries, descriptions, error messages, printed lines and the help of options count too. In CloudFormation templates
it reads the comments and descriptions. The rules are in docs/words.toml. Migrations that have landed are skipped,
because they cannot be edited.
"""

import argparse
import ast
import functools
import io
import re
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as Loader
else:
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast, where it is built in

WORDS = Path("docs/words.toml")
ROOTS = (
    "README.md", "CONTRIBUTING.md", "docs", "functions", "layers", "sql", "local", "scripts", "demo", "bench", "tests",
    "template.yaml", "stacks",
)  # fmt: skip
TEMPLATES = re.compile(r"template\.yaml|stacks/[^/]+\.yaml")
"""Templates that are checked. The sample applications in tests/ copy foreign ones."""

GENERATED = {"sql/retention.md"}
MIGRATIONS = Path("sql/migrations")
DEPTHS = {"layers/domain/marquee": 4, "sql/routines": 3, "sql": 2, "tests": 2, "docs": 2}
"""By folder: how many levels of it the summary keeps apart."""

CODE = "Xcode"
"""Stands for code in a sentence, as one word that no rule matches."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph whose lines know their numbers. The first sentence of a header must be an imperative."""

    lines: tuple[tuple[int, str], ...]
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without its code, and the line where it starts."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A departure from the house style."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Return the fault as a line that editors can jump to."""
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of docs/words.toml, compiled."""

    sentence_words: int
    rates: tuple[tuple[str, re.Pattern[str], int, str], ...]
    banned_start: re.Pattern[str]
    start_instead: str
    avoid: tuple[tuple[re.Pattern[str], str], ...]
    verbs: frozenset[str]
    landed_migrations: frozenset[int]


# The rules


@functools.cache
def rules() -> Rules:
    """Read docs/words.toml."""
    read = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    limits = read["limits"]
    starts = sorted(read["starts"]["banned"], key=len, reverse=True)
    return Rules(
        sentence_words=limits["sentence_words"],
        rates=(
            ("what", re.compile(r"\bwhat\b", re.IGNORECASE), limits["what_per_1000"], read["rates"]["what"]),
            (
                "whoever",
                re.compile(r"\b(whoever|those who)\b", re.IGNORECASE),
                limits["whoever_per_1000"],
                read["rates"]["whoever"],
            ),
        ),
        banned_start=re.compile(rf"[\"'“«(]*({'|'.join(map(re.escape, starts))})\b", re.IGNORECASE),
        start_instead=read["starts"]["write"],
        avoid=tuple((re.compile(entry["find"], re.IGNORECASE), entry["write"]) for entry in read["avoid"]),
        verbs=frozenset(read["imperatives"]["verbs"].split()),
        landed_migrations=frozenset(
            number for first, last in limits["landed_migrations"] for number in range(first, last + 1)
        ),
    )


# Text out of files


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


# Sentences out of text

_END = re.compile(r"[.!?][\"'”»)\]]*\s+(?=[\"'“«(\[]*[A-Za-z0-9])")
_ABBREVIATION = re.compile(r"\b(e\.g|i\.e|vs|cf|approx|resp|incl)\.\s+$", re.IGNORECASE)
_BEFORE_NUMBER = re.compile(r"\b(no|nos|p|pp)\.\s+$", re.IGNORECASE)
_BEFORE_LOWER = re.compile(r"\betc\.\s+$|\.\.\.?\s+$", re.IGNORECASE)
_TOKENS = (
    re.compile(r"``[^`]*``|`[^`]*`"),
    re.compile(r"<[^<>\s]+>|https?://\S*[\w/]"),
    re.compile(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"),
    re.compile(r"%\(?\w*\)?[sdr]\b|%[IL]\b|\$\w+"),
    re.compile(r"(?<![\w/])/[\w{}<>./*-]*[\w{}<>/*]|\b[\w{}-]*[/_](?:[\w{}/_.*-]*[\w{}/*])?(\(\))?|\b\w+\(\)"),
    re.compile(r"\b(?!e\.g\b|i\.e\b)[a-z0-9]+(\.[a-z_0-9]+)+\b"),
    re.compile(r"\b[a-z]+[A-Z]\w*\b|\b[A-Z][a-z]+[A-Z]\w*\b"),
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’-][A-Za-zÀ-ÿ]+)*|\d[\d.,:]*")


def sentences_of(block: Block) -> list[Sentence]:
    """Split a paragraph into sentences, with code replaced by one word that no rule matches."""
    text = ""
    starts: list[tuple[int, int]] = []
    for number, line in block.lines:
        starts.append((len(text), number))
        text += f"{line} "
    text = _LINK.sub(lambda match: match.group(1).ljust(len(match.group())), text)
    for token in _TOKENS:
        text = token.sub(lambda match: CODE.ljust(len(match.group()))[: max(len(match.group()), len(CODE))], text)
    text = re.sub(r"\*\*|__", "  ", text)
    found: list[Sentence] = []
    start = 0
    ends = [match.end() for match in _END.finditer(text) if _is_end(text, match.end())]
    for end in [*ends, len(text)]:
        sentence = text[start:end]
        if _WORD.search(sentence):
            offset = start + len(sentence) - len(sentence.lstrip())
            place = next(number for position, number in reversed(starts) if position <= offset)
            found.append(Sentence(place, " ".join(sentence.split())))
        start = end
    return found


def _is_end(text: str, place: int) -> bool:
    """Return whether a full stop before a place ends a sentence. The one of an abbreviation does not."""
    before, follower = text[max(0, place - 16) : place], text[place:].lstrip("\"'“«([")[:1]
    return not (
        _ABBREVIATION.search(before)
        or (follower.isdigit() and _BEFORE_NUMBER.search(before))
        or (follower.islower() and _BEFORE_LOWER.search(before))
    )


def words_in(sentence: Sentence) -> list[str]:
    """Return the words of a sentence. Code counts as one word, and a list of refusals after a colon as none."""
    return _WORD.findall(re.sub(r"^((?:Refuses|Raises)\b[^:]*):.*", r"\1", sentence.text))


# Faults out of sentences


def faults_of(path: str, text: str) -> tuple[list[Fault], int, list[tuple[str, Fault]]]:
    """Check one file. Returns its faults, its number of words, and each use of a word whose rate is limited."""
    faults: list[Fault] = []
    rated: list[tuple[str, Fault]] = []
    total = 0
    for block in blocks_of(path, text):
        for index, sentence in enumerate(sentences_of(block)):
            words = words_in(sentence)
            total += len(words)
            is_header = block.is_header and index == 0
            faults += [Fault(path, sentence.line, rule, said) for rule, said in _judged(sentence, words, is_header)]
            for name, pattern, _most, instead in rules().rates:
                rated += [
                    (name, Fault(path, sentence.line, name, f'"{match.group()}" is vague. Write: {instead}.'))
                    for match in pattern.finditer(sentence.text)
                ]
    return faults, total, rated


def _judged(sentence: Sentence, words: Sequence[str], is_header: bool) -> Iterator[tuple[str, str]]:
    the = rules()
    if len(words) > the.sentence_words:
        yield "long", f"A sentence has {len(words)} words. Write sentences of at most {the.sentence_words}."
    start = the.banned_start.match(sentence.text)
    if start and not sentence.text.endswith("?"):
        yield "start", f'A sentence starts with "{start.group(1)}". Write: {the.start_instead}.'
    elif is_header and words and (words[0].lower() not in the.verbs or words[1:2] == ["of"]):
        first = "code" if words[0] == CODE else f'"{" ".join(words[: 1 + (words[1:2] == ["of"])])}"'
        yield "imperative", f"The first word is {first}. Write a verb first: Return, Lease, Record (docs/words.toml)."
    for pattern, instead in the.avoid:
        for match in pattern.finditer(sentence.text):
            yield "word", f'"{match.group().strip(" ,;:")}". Write: {instead}.'


@dataclass(slots=True)
class Folder:
    """The figures of one folder."""

    words: int
    faults: Counter[str]
    rated: Counter[str]


def check(files: Sequence[tuple[str, str]]) -> tuple[list[Fault], dict[str, Folder]]:
    """Check files, given as paths with texts. Returns the faults by place, and the figures by folder.

    A folder may use each rated word once, or as often as its rate allows.
    """
    faults: list[Fault] = []
    folders: dict[str, Folder] = defaultdict(lambda: Folder(0, Counter(), Counter()))
    uses: dict[str, list[tuple[str, Fault]]] = defaultdict(list)
    for path, text in files:
        found, words, rated = faults_of(path, text)
        folder = folders[folder_of(path)]
        folder.words += words
        folder.faults.update(fault.rule for fault in found)
        folder.rated.update(name for name, _fault in rated)
        faults += found
        uses[folder_of(path)] += rated
    for name, rated in uses.items():
        for word, _pattern, most, _instead in rules().rates:
            folder = folders[name]
            allowed = max(1, folder.words * most // 1000)
            if folder.rated[word] > allowed:
                folder.faults[word] = folder.rated[word] - allowed
                faults += [
                    Fault(
                        fault.path,
                        fault.line,
                        word,
                        f"{fault.message} {name} uses it {folder.rated[word]} times and may {allowed} times.",
                    )
                    for used, fault in rated
                    if used == word
                ]
    return sorted(faults, key=lambda fault: (fault.path, fault.line, fault.rule)), dict(sorted(folders.items()))


def folder_of(path: str) -> str:
    """Return the folder under which the summary counts a file."""
    parts = Path(path).parent.parts
    depth = next((depth for folder, depth in DEPTHS.items() if f"{path}/".startswith(f"{folder}/")), 1)
    return "/".join(parts[:depth]) or "."


# Files


def files_in(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Read the files below the paths that hold prose which people may still change."""
    found: dict[str, str] = {}
    for start in map(Path, paths):
        for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
            is_hidden = any(part.startswith((".", "__pycache__")) for part in file.parts)
            is_prose = file.suffix in {".md", ".py", ".sql"} or TEMPLATES.fullmatch(str(file)) is not None
            if file.is_file() and is_prose and not is_hidden and not _is_fixed(file):
                found[str(file)] = file.read_text(encoding="utf-8")
    return list(found.items())


def _is_fixed(file: Path) -> bool:
    if file.parent == MIGRATIONS:
        return int(file.name[:4]) in rules().landed_migrations
    return str(file) in GENERATED


RULES = ("what", "whoever", "long", "start", "imperative", "word")


def summary(folders: dict[str, Folder]) -> str:
    """Return a table with a line for each folder and a total."""
    lines = [f"{'folder':34}{'words':>8}{'what/1000':>11}{'whoever/1000':>14}" + "".join(f"{r:>12}" for r in RULES[2:])]
    total = Folder(0, Counter(), Counter())
    for folder in folders.values():
        total.words += folder.words
        total.faults += folder.faults
        total.rated += folder.rated
    for name, folder in [*folders.items(), ("all", total)]:
        rates = [folder.rated[word] * 1000 / (folder.words or 1) for word in RULES[:2]]
        lines.append(
            f"{name:34}{folder.words:>8}{rates[0]:>11.1f}{rates[1]:>14.1f}"
            + "".join(f"{folder.faults[rule]:>12}" for rule in RULES[2:])
        )
    return "\n".join(lines)


def main() -> int:
    """Print the faults and the summary. Returns 1 if there is a fault."""
    parser = argparse.ArgumentParser(description="Check the project's English against docs/words.toml.")
    parser.add_argument("paths", nargs="*", help="files and folders; all of the project unless given")
    parser.add_argument("--folder", action="append", default=[], help="one more folder to check")
    parser.add_argument("--summary", action="store_true", help="print the summary only")
    wanted = parser.parse_args()
    paths = [*wanted.paths, *wanted.folder] or [path for path in ROOTS if Path(path).exists()]
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        parser.error(f"No such path: {', '.join(missing)}. Give paths from the project's root.")
    faults, folders = check(files_in(paths))
    if not wanted.summary:
        print("\n".join(map(str, faults)))
    print(summary(folders))
    print(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}." if faults else "No faults.")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
