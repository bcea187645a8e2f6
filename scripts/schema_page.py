"""Arrange the text of pg_dump for reading: by schema, each object with its comments, policies, triggers and grants."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WIDTH = 120
HEADER = """\
-- The structure of the database, for reading: tables, views, triggers, policies, grants, and signatures of routines.
-- The bodies of routines are in sql/routines/<schema>/<subject>/<name>.sql. `make schema` writes this file.
--
-- Only the owner and the roles listed after a routine may execute it. A comment marks a routine open to PUBLIC.
-- The partitions listed after a table have row security, and no grants, policies, constraints, triggers or indexes of
-- their own. A partition that differs is shown as a table.
"""
_BODY = re.compile(
    r"^(?P<signature>CREATE (?:FUNCTION|PROCEDURE) .*?)\n    "
    r"(?:AS (?P<quote>\$\w*\$).*?(?P=quote)|RETURN .*?|BEGIN ATOMIC\n.*?^END);$",
    re.MULTILINE | re.DOTALL,
)
_ENTRY = re.compile(
    r"^--\n-- Name: (?P<name>.*); Type: (?P<kind>[A-Z ]+); Schema: (?P<schema>.*); Owner: .*\n--\n", re.MULTILINE
)
_END = "--\n-- PostgreSQL database dump complete\n"
_SETTING = re.compile(r"^SET .*\n", re.MULTILINE)
_GRANT = re.compile(r"(?P<rights>GRANT .+ TO) (?P<role>\S+|\"[^\"]+\")(?P<option>(?: WITH GRANT OPTION)?);")
_REVOKED_FROM_PUBLIC = re.compile(r"REVOKE ALL ON (FUNCTION|PROCEDURE) .+ FROM PUBLIC;")
_CONSTRAINT = re.compile(r"^(ALTER TABLE \S+(?: \S+)?)\n    (ADD CONSTRAINT .+)$")

_ROUTINES = ("FUNCTION", "PROCEDURE", "AGGREGATE")
_VIEWS = ("VIEW", "MATERIALIZED VIEW")
# Objects appear in this order within a schema, and their parts in the order of the second list. Others come last.
_OBJECTS = ["SCHEMA", "TYPE", "DOMAIN", "TABLE", "SEQUENCE", *_VIEWS, *_ROUTINES]
_PARTS = [*_OBJECTS, "RULE", "PARTITIONS", "COMMENT", "DEFAULT", "CONSTRAINT", "FK CONSTRAINT", "INDEX", "ROW SECURITY"]
_PARTS += ["POLICY", "TRIGGER", "ACL"]
_NAMED_AFTER_TABLE = {"CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "DEFAULT", "POLICY", "TRIGGER", "RULE"}
_TABLE_IN_TEXT = {
    "INDEX": re.compile(r" ON (?:ONLY )?[\w\"]+\.([\w\"]+) USING "),
    "SEQUENCE": re.compile(r"^ALTER TABLE [\w\"]+\.([\w\"]+) ALTER COLUMN "),
}


@dataclass(frozen=True)
class Entry:
    """One entry of a dump: a statement, or the grants of one object."""

    kind: str
    schema: str
    name: str
    text: str

    @property
    def owner(self) -> tuple[str, str]:
        """Return the schema and the name of the object that the entry creates or belongs to."""
        if self.kind == "SCHEMA":
            return self.name, ""
        name = self.name
        if self.kind in ("COMMENT", "ACL"):
            noun, _, name = self.name.partition(" ")
            if noun == "SCHEMA":
                return name, ""
            if noun == "COLUMN":
                name = name.partition(".")[0]
            elif noun in ("CONSTRAINT", "POLICY", "TRIGGER") and " ON " in name:
                name = name.rpartition(" ON ")[2].rpartition(".")[2]
            elif noun == "INDEX":
                name = f"index {name}"
        elif self.kind in _NAMED_AFTER_TABLE:
            name = name.partition(" ")[0]
        elif self.kind in _TABLE_IN_TEXT and (found := _TABLE_IN_TEXT[self.kind].search(self.text)):
            name = found.group(1)
        return self.schema, re.sub(r"\(.*", "()", name)


@dataclass(frozen=True)
class Block:
    """An object with its parts."""

    schema: str
    name: str
    entries: list[Entry]

    @property
    def kind(self) -> str:
        """Return the kind of the object."""
        return self.entries[0].kind

    def text(self) -> str:
        """Return the statements of the object."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        routines = sum(entry.kind in _ROUTINES for entry in self.entries)
        grants = [line for entry in self.entries if entry.kind == "ACL" for line in entry.text.splitlines()]
        public = sum(_REVOKED_FROM_PUBLIC.fullmatch(line) is not None for line in grants) < routines
        for entry in self.entries:
            if entry.kind in ("FUNCTION", "PROCEDURE"):
                signature, language, rest = entry.text.partition("\n    LANGUAGE ")
                yield wrapped(signature) + language + rest
            elif entry.kind == "COMMENT":
                yield self._short(entry.text, routines)
            elif entry.kind != "ACL":
                yield _CONSTRAINT.sub(_on_one_line, entry.text)
        if public:
            yield f"-- PUBLIC may execute {self.schema}.{self.name[:-2]}."
        elif routines:
            grants = [line for line in grants if not _REVOKED_FROM_PUBLIC.fullmatch(line)]
        yield from merged(self._short(line, routines) for line in grants)

    def _short(self, statement: str, routines: int) -> str:
        """Return a comment or grant without the parameters of the only routine with this name."""
        if routines != 1:
            return statement
        start = statement.find(f"{self.schema}.{self.name[:-1]}")
        if start < 0:
            return statement
        opening = start + len(self.schema) + len(self.name) - 1
        return statement[:opening] + statement[closing(statement, opening) + 1 :]


def page(dump: str, partitions: dict[tuple[str, str], str]) -> str:
    """Return the page of a dump. The partitions of each table are given as text."""
    grouped: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries(dump):
        grouped[entry.owner].append(entry)
    for (schema, name), text in partitions.items():
        grouped[schema, name].append(Entry("PARTITIONS", schema, name, f"-- Partitions: {text}."))
    blocks = [
        Block(schema, name, sorted(parts, key=lambda entry: _rank(entry.kind, _PARTS)))
        for (schema, name), parts in grouped.items()
    ]
    blocks.sort(key=lambda block: (block.schema == "-", block.schema, block.name != "", _rank(block.kind, _OBJECTS)))
    return "\n".join([HEADER + contents(blocks), *(f"{block.text()}\n" for block in blocks)])


def without_bodies(text: str) -> str:
    """Return a dump in which each routine ends after its signature and settings."""
    return _BODY.sub(r"\g<signature>;", text)


def entries(dump: str) -> Iterator[Entry]:
    """Return the entries of a dump, without the settings between them."""
    text = without_bodies(dump).partition(_END)[0]
    heads = list(_ENTRY.finditer(text))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)]
        statement = re.sub(r"\n\n+", "\n", _SETTING.sub("", body + "\n").strip())
        yield Entry(head["kind"], head["schema"], head["name"], statement)


def contents(blocks: Iterable[Block]) -> str:
    """Return a list of the schemas with the number of their tables, views and routines."""
    counts: dict[str, Counter[str]] = {}
    for block in blocks:
        if block.schema != "-":
            counts.setdefault(block.schema, Counter()).update(entry.kind for entry in block.entries)
    lines = []
    for schema, kinds in counts.items():
        views = sum(kinds[kind] for kind in _VIEWS)
        routines = sum(kinds[kind] for kind in _ROUTINES)
        lines.append(f"-- - {schema}: tables {kinds['TABLE']}, views {views}, routines {routines}")
    return "--\n" + "\n".join(lines) + "\n"


def merged(statements: Iterable[str]) -> list[str]:
    """Return grants with one statement for all roles that have the same rights."""
    roles: dict[tuple[str, str], list[str]] = {}
    for statement in statements:
        if found := _GRANT.fullmatch(statement):
            roles.setdefault((found["rights"], found["option"]), []).append(found["role"])
        else:
            roles[statement, ""] = []
    return [
        f"{start} {', '.join(sorted(names))}{option};" if names else start for (start, option), names in roles.items()
    ]


def wrapped(line: str) -> str:
    """Return a signature with one parameter a line if it is too long for one line."""
    opening = line.find("(")
    if len(line) <= WIDTH or opening < 0:
        return line
    end = closing(line, opening)
    parameters = split(line[opening + 1 : end])
    rest = wrapped(line[end:])
    if not parameters:
        return line[: opening + 1] + rest
    return line[: opening + 1] + "\n    " + ",\n    ".join(parameters) + "\n" + rest


def closing(text: str, opening: int) -> int:
    """Return the position of the parenthesis that closes the one at a position."""
    for position, depth in _depths(text, opening):
        if depth == 0:
            return position
    raise ValueError(f"No parenthesis closes the one at {opening}: {text}")


def split(text: str) -> list[str]:
    """Return the parts of a list between its commas, except commas in quotes and parentheses."""
    start, parts = 0, []
    for position, depth in _depths(text, 0):
        if depth == 0 and text[position] == ",":
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def _depths(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Return each position outside quotes with the number of parentheses that are open after it."""
    depth, quote = 0, ""
    for position in range(start, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
            continue
        if character in "'\"":
            quote = character
            continue
        depth += {"(": 1, ")": -1}.get(character, 0)
        yield position, depth


def _rank(kind: str, kinds: list[str]) -> int:
    return kinds.index(kind) if kind in kinds else len(kinds)


def _on_one_line(found: re.Match[str]) -> str:
    line = f"{found[1]} {found[2]}"
    return line if len(line) <= WIDTH else found[0]
