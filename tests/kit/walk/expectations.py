"""Read the tables of expectations, and report the differences."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.kit.walk.attempts import OPERATIONS, Managed, Walk
from tests.kit.walk.catalog import Relation
from tests.kit.walk.world import AUDIENCES, Audience, World

FOLDER = Path(__file__).resolve().parents[2] / "database" / "walk"
TABLES = FOLDER / "tables.txt"
FUNCTIONS = FOLDER / "functions.txt"
GRANTS = FOLDER / "grants.txt"
HOW = "Print the observed lines with `python -m tests.kit.walk`, check them, and paste them."

WORDS = ("public", "mine", "ours", "booked")
_LETTERS = {operation[0]: operation for operation in OPERATIONS if operation != "select"}


@dataclass(frozen=True, slots=True)
class Line:
    """The expectations of one table: words by (audience, operation), and the reason if it has no rows."""

    table: str
    cells: dict[tuple[str, str], str]
    empty: str | None

    def text(self) -> str:
        """Return the line as the table shows it."""
        reads = "".join(f"{self.cells[audience.name, 'select']:<20}" for audience in AUDIENCES)
        writes = []
        for audience in AUDIENCES:
            by_words: dict[str, str] = {}
            for letter, operation in _LETTERS.items():
                words = self.cells[audience.name, operation]
                by_words[words] = by_words.get(words, "") + letter
            writes += [f"{audience.name}:{of}={words}" for words, of in by_words.items() if words != "denied"]
        end = "" if self.empty is None else f"  empty: {self.empty}"
        return f"{self.table:<36}{reads}{','.join(writes) or '-'}{end}"


def read_tables(path: Path = TABLES) -> dict[str, Line]:
    """Read the lines of tables.txt. Raises ValueError for an invalid line."""
    lines = {}
    for text in _lines(path):
        head, _, empty = text.partition("  empty: ")
        table, *words = head.split()
        if len(words) != len(AUDIENCES) + 1 or table in lines:
            raise ValueError(f"{path.name}: a table, {len(AUDIENCES)} audiences and what may be written, once: {text}")
        cells = {(a.name, operation): "denied" for a in AUDIENCES for operation in OPERATIONS}
        cells |= {(a.name, "select"): word for a, word in zip(AUDIENCES, words, strict=False)}
        for part in [] if words[-1] == "-" else words[-1].split(","):
            who, _, rest = part.partition(":")
            letters, _, word = rest.partition("=")
            if not word or not letters or any((who, _LETTERS.get(letter)) not in cells for letter in letters):
                raise ValueError(f"{path.name}: {part} is not audience:iud=rows")
            cells |= {(who, _LETTERS[letter]): word for letter in letters}
        for word in cells.values():
            if word not in ("denied", "none", "all") and not set(word.split("+")) <= set(WORDS):
                raise ValueError(f"{path.name}: {word} is no word of the table: {text}")
        lines[table] = Line(table, cells, empty.strip() or None)
    return lines


def read_holders(path: Path) -> dict[str, str]:
    """Read the lines `roles | object` of a table of grants."""
    found = {}
    for text in _lines(path):
        who, _, what = text.partition("|")
        found[what.strip()] = " ".join(who.split())
    return found


def holder_line(what: str, who: str) -> str:
    """Return a line as a table of grants shows it."""
    return f"{who:<50}| {what}"


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


def disagreements(expected: dict[str, str], found: dict[str, str], path: Path) -> list[str]:
    """Return the differences between a table of grants and the database."""
    said = [
        f"{path.name} has no line for: {holder_line(what, found[what])}. {HOW}"
        for what in found
        if what not in expected
    ]
    said += [f"{path.name} has a line for {what}, which nobody may or is not there" for what in expected.keys() - found]
    return said + [
        f"{what}: {found[what]} may, expected {expected[what]}"
        for what in found.keys() & expected.keys()
        if found[what] != expected[what]
    ]


def unlisted(relations: list[Relation], lines: dict[str, Line]) -> list[str]:
    """Return tables without a line and lines without a table."""
    tables = {relation.name for relation in relations if relation.parent is None}
    said = [f"{table} has no line in {TABLES.name}. {HOW}" for table in sorted(tables - lines.keys())]
    return said + [
        f"{TABLES.name} has a line for {table}, which is not there" for table in sorted(lines.keys() - tables)
    ]


def unsecured(relations: Iterable[Relation]) -> list[str]:
    """Return tables and partitions whose row security is off."""
    return [f"row security is off: {relation.name}" for relation in relations if not relation.secured]


def meant(words: str, world: World, table: str, audience: Audience) -> Managed:
    """Return the rows that the words mean."""
    if words == "denied":
        return None
    if words == "all":
        return world.keys(table)
    if words == "none":
        return frozenset()
    return frozenset().union(*(world.of(word, table, audience) for word in words.split("+")))


def described(managed: Managed, world: World, table: str, audience: Audience) -> str:
    """Return the fewest words that mean exactly these rows, or a count if no words do."""
    candidates = ["denied", "none", "all"]
    for number in range(1, len(WORDS) + 1):
        candidates += ["+".join(some) for some in itertools.combinations(WORDS, number)]
    for words in candidates:
        if meant(words, world, table, audience) == managed:
            return words
    return f"{len(managed or ())} of {len(world.keys(table))} rows"


def observed(table: str, found: Walk, world: World) -> Line:
    """Return a table's line according to the observations."""
    cells = {
        (audience.name, operation): described(found.managed[table, audience.name, operation], world, table, audience)
        for audience in AUDIENCES
        for operation in OPERATIONS
    }
    return Line(table, cells, None if world.rows[table] else "say why there can be no rows, or make some")


def broken(line: Line, found: Walk, world: World, audience: Audience) -> list[str]:
    """Return operations whose observed rows differ from the audience's line."""
    said = []
    for operation in OPERATIONS:
        managed = found.managed[line.table, audience.name, operation]
        words = line.cells[audience.name, operation]
        expected = meant(words, world, line.table, audience)
        if managed != expected:
            did = described(managed, world, line.table, audience)
            more = sorted((managed or frozenset()) - (expected or frozenset()))[:3]
            less = sorted((expected or frozenset()) - (managed or frozenset()))[:3]
            detail = (f", too much: {more}" if more else "") + (f", missing: {less}" if less else "")
            said.append(f"{line.table}: {audience.name} may {operation} {did}, expected {words}{detail}")
    return said


def reachable(relations: Iterable[Relation], found: Walk) -> list[str]:
    """Return partitions that an audience can use directly, bypassing the parent's policies."""
    return [
        f"{relation.name}: {audience.name} may {operation} it directly; revoke all rights to partitions"
        for relation in relations
        for audience in AUDIENCES
        for operation in OPERATIONS
        if relation.parent is not None and found.managed[relation.name, audience.name, operation] is not None
    ]


def unproven(line: Line, world: World) -> list[str]:
    """Return words of a line that the rows do not prove: they include no row, or exclude none."""
    table, rows = line.table, world.keys(line.table)
    where = "add rows in tests/database/walk/rows/"
    if not rows:
        return [] if line.empty else [f"{table} has no row to look at: {where}, or say why (two spaces, empty: …)"]
    if line.empty:
        return [f"{table} is declared empty and has rows"]
    said = [f"{table} has rows of one organization only: {where}"] if len(world.sides(table)) == 1 else []
    for audience in AUDIENCES:
        for operation in OPERATIONS:
            words = line.cells[audience.name, operation]
            parts = [] if words in ("denied", "none", "all") else words.split("+")
            sets = [world.of(part, table, audience) for part in parts]
            if parts and frozenset().union(*sets) == rows:
                said.append(f"{table}: {audience.name}, {words} leaves no row out: {where}")
            for place, part in enumerate(parts):
                if not sets[place] - frozenset().union(*sets[:place], *sets[place + 1 :]):
                    said.append(f"{table}: {audience.name}, {part} adds no row to {words}: {where}, or leave it out")
    return said
