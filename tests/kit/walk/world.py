"""Fill a database with two organizations, "ours" and "theirs", with rows of every kind of person.

The rows come from rows/*.sql. Each file runs once for each organization. In them, any name is an id of that
organization (%(package)s) and the same in all files. Rows that are not public have a name with the prefix hidden_
(%(hidden_package)s). `people` are all people. `organization_owner` and `organization_viewer` are members.

A row belongs to the people and organizations whose ids it contains, and to the owners of the rows that it names. Some
rows belong to the owners of rows that name them, such as a transaction and its entries. Their file lists these with
`insert into whose`.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import tuple_row

from tests.kit.walk.catalog import Relation

ROWS = Path(__file__).resolve().parents[2] / "database" / "walk" / "rows"
SIDES = ("ours", "theirs")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def named(name: str) -> UUID:
    """Return an id that is the same in every run."""
    return uuid5(NAMESPACE_URL, f"walk {name}")


PEOPLE = {name: named(name) for name in ("customer", "other_owner", "viewer", "owner", "somebody")}
ORGANIZATIONS = {side: named(f"{side} organization") for side in SIDES}


@dataclass(frozen=True, slots=True)
class Audience:
    """A kind of caller: the token's claims, the resulting role, and the organization that it belongs to."""

    name: str
    role: str
    person: UUID | None = None
    organization: UUID | None = None
    claimed: UUID | None = None

    def claims(self) -> str:
        """Return the argument of ops.act_as."""
        claims = {"role": self.role, "sub": self.person, "org_id": self.claimed or self.organization}
        return json.dumps({name: str(value) for name, value in claims.items() if value is not None})


_OURS, _THEIRS = ORGANIZATIONS["ours"], ORGANIZATIONS["theirs"]
AUDIENCES = (
    Audience("anon", "anon"),
    # A customer is no member of the organization that the token claims.
    Audience("customer", "authenticated", PEOPLE["customer"], claimed=_OURS),
    Audience("other_owner", "authenticated", PEOPLE["other_owner"], _THEIRS),
    Audience("viewer", "authenticated", PEOPLE["viewer"], _OURS),
    Audience("owner", "authenticated", PEOPLE["owner"], _OURS),
    Audience("service", "service_role"),
)


class _Names(dict[str, Any]):
    """The parameters of a file for one organization. An unknown name becomes a new id."""

    def __init__(self, side: str, hidden: set[str]) -> None:
        ours = side == "ours"
        super().__init__(
            PEOPLE,
            side=side,
            people=list(PEOPLE.values()),
            organization=ORGANIZATIONS[side],
            organization_owner=PEOPLE["owner" if ours else "other_owner"],
            organization_viewer=PEOPLE["viewer" if ours else "somebody"],
        )
        self._hidden = hidden

    def __missing__(self, name: str) -> UUID:
        made = self[name] = named(f"{self['side']} {name}")
        if name.startswith("hidden_"):
            self._hidden.add(str(made))
        return made


@dataclass(frozen=True, slots=True)
class Said:
    """Facts about rows that only the files contain: the hidden ids, and additional owners of ids."""

    hidden: set[str]
    whose: dict[str, set[str]]


def fill(connection: psycopg.Connection[Any], rows: Path = ROWS) -> Said:
    """Run the files of a folder, rows/*.sql by default, as the owner, in the order of their names."""
    said = Said(set(), {})
    names = [_Names(side, said.hidden) for side in SIDES]
    with psycopg.ClientCursor(connection, row_factory=tuple_row) as cursor:
        cursor.execute("create temporary table whose (id text, who text, primary key (id, who))")
        for file in sorted(rows.glob("*.sql")):
            for side in names:
                cursor.execute(file.read_text(), side)
        for one, who in cursor.execute("select id, who from whose").fetchall():
            said.whose.setdefault(one, set()).add(who)
        cursor.execute("drop table whose")
    return said


@dataclass(slots=True)
class Row:
    """A row as the owner sees it: its key, its columns as JSON, and the ids that it names."""

    key: str
    columns: dict[str, Any]
    mentions: set[str]
    labels: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class World:
    """All rows of all tables with their owners."""

    rows: dict[str, list[Row]]
    booked: dict[UUID, set[str]]

    def keys(self, table: str) -> frozenset[str]:
        """Return the keys of all rows of a table."""
        return frozenset(row.key for row in self.rows[table])

    def of(self, word: str, table: str, audience: Audience) -> frozenset[str]:
        """Return the rows of a table that a word means for an audience."""
        return frozenset(row.key for row in self.rows[table] if self._is(word, row, audience))

    def _is(self, word: str, row: Row, audience: Audience) -> bool:
        match word:
            case "mine":
                return str(audience.person) in row.labels
            case "ours":
                return str(audience.organization) in row.labels
            case "public":
                return "hidden" not in row.labels and not row.labels.isdisjoint(map(str, ORGANIZATIONS.values()))
            case "booked":
                return audience.person is not None and not row.mentions.isdisjoint(self.booked[audience.person])
            case _:
                raise ValueError(f"{word} is no word of the table")

    def sides(self, table: str) -> set[str]:
        """Return the organizations of a table's rows."""
        found = set().union(*(row.labels for row in self.rows[table]))
        return {side for side, organization in ORGANIZATIONS.items() if str(organization) in found}


def look(connection: psycopg.Connection[Any], tables: list[Relation], said: Said) -> World:
    """Read every row as the owner, and find its owners through the ids that it names directly and indirectly."""
    rows = {table.name: _read(connection, table) for table in tables}
    fixed = {str(one): {str(one)} for one in (*PEOPLE.values(), *ORGANIZATIONS.values())}
    known = {**fixed, **{one: {"hidden"} for one in said.hidden}}
    owns = [(row, _own_id(table, row)) for table in tables for row in rows[table.name]]
    grew = True
    while grew:
        grew = False
        for row, own in owns:
            row.labels |= set().union(*(known.get(one, set()) for one in row.mentions))
            if own is not None and own not in fixed and not row.labels <= known.setdefault(own, set()):
                known[own] |= row.labels
                grew = True
    for row, own in owns:
        row.labels |= said.whose.get(own or "", set())
    bookings = [row.columns for row in rows.get("events.bookings", [])]
    booked = {one: {b["event_id"] for b in bookings if b["customer_id"] == str(one)} for one in PEOPLE.values()}
    return World(rows, booked)


def _read(connection: psycopg.Connection[Any], table: Relation) -> list[Row]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(
            f"select {table.key()}, to_jsonb(t), to_jsonb(t)::text from {table.name} as t"
        ).fetchall()
    made = []
    for key, columns, text in found:
        mentions = set(_UUID.findall(text))
        mentions |= {f"{target}={columns[name]}" for name, target in table.references.items()}
        made.append(Row(key, columns, mentions))
    return made


def _own_id(table: Relation, row: Row) -> str | None:
    """Return the id by which other rows name this row."""
    name = "id" if "id" in table.columns else table.primary[0] if len(table.primary) == 1 else None
    if name is None:
        return None
    value = str(row.columns[name])
    return value if _UUID.fullmatch(value) else f"{table.name}={value}"
