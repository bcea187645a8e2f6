"""The state of the stand-in, in one SQLite file. Used from one thread; one transaction at a time."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
MEMORY = ":memory:"
FILE = "stripe.sqlite"
TABLES = """
create table if not exists settings (name text primary key, value text not null);

-- Objects of the API. `place` orders them by their making, within a second too.
create table if not exists objects (
    place integer primary key,
    account text not null,
    kind text not null,
    id text not null unique,
    created integer not null,
    body text not null
);
create index if not exists objects_by_kind on objects (account, kind, place);
create index if not exists objects_by_intent on objects (account, kind, json_extract(body, '$.payment_intent'), place)
where json_extract(body, '$.payment_intent') is not null;
create index if not exists objects_by_charge on objects (account, kind, json_extract(body, '$.charge'), place)
where json_extract(body, '$.charge') is not null;
create index if not exists objects_by_source on objects (account, kind, json_extract(body, '$.source'), place)
where json_extract(body, '$.source') is not null;

-- What no answer shows: secrets of endpoints, how a card behaves.
create table if not exists hidden (id text primary key, body text not null);

-- What each balance transaction does to a balance, and when it becomes available.
create table if not exists movements (account text, currency text, net integer, available_on integer);
create index if not exists movements_by_account on movements (account, currency);

create table if not exists keys (
    account text not null,
    key text not null,
    path text not null,
    parameters text not null,
    status integer not null,
    request_id text not null,
    body blob not null,
    created real not null,
    primary key (account, key)
);
create index if not exists keys_by_age on keys (created);

-- What happens by itself when its time has come.
create table if not exists tasks (
    place integer primary key,
    due real not null,
    account text not null,
    work text not null,
    subject text not null
);
create index if not exists tasks_due on tasks (due, place);

create table if not exists deliveries (
    place integer primary key,
    event text not null,
    endpoint text not null,
    state text not null check (state in ('pending', 'held', 'delivered', 'dropped', 'failed')),
    attempts integer not null default 0,
    due real not null,
    status integer,
    error text
);
create index if not exists deliveries_waiting on deliveries (state, due) where state in ('pending', 'held');
create index if not exists deliveries_by_event on deliveries (event);
"""


class InUse(Exception):
    """Another process uses the file."""


class Store:
    """Objects by kind and id, and the tables beside them."""

    def __init__(self, folder: Path | str) -> None:
        """Open or create the file in `folder`; ':memory:' stores nothing. Raises InUse."""
        if str(folder) == MEMORY:
            where = MEMORY
        else:
            Path(folder).mkdir(parents=True, exist_ok=True)
            where = str(Path(folder) / FILE)
        self._connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=0.2)
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("pragma locking_mode = exclusive")
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = normal")
            self._connection.executescript(TABLES)
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise InUse(f"{where}: {error}. Another stand-in uses it.") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes in this block, or none."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def run(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    def rows(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def put(self, account: str, made: Json) -> str:
        """Store an object, new or changed. Returns its text."""
        body = json.dumps(made, separators=(",", ":"))
        changed = self.run("update objects set body = ? where id = ?", (body, made["id"]))
        if not changed.rowcount:
            self.run(
                "insert into objects (account, kind, id, created, body) values (?, ?, ?, ?, ?)",
                (account, made["object"], made["id"], made.get("created", 0), body),
            )
        return body

    def get(self, account: str, kind: str, id: str) -> Json | None:
        """Return an object of an account, or None."""
        row = self.row("select body from objects where id = ? and kind = ? and account = ?", (id, kind, account))
        return None if row is None else json.loads(row["body"])

    def owner(self, kind: str, id: str) -> str | None:
        """Return the account of an object, or None."""
        row = self.row("select account from objects where id = ? and kind = ?", (id, kind))
        return None if row is None else str(row["account"])

    def hide(self, id: str, body: Json) -> None:
        """Store data beside an object that no response shows."""
        self.run("insert or replace into hidden (id, body) values (?, ?)", (id, json.dumps(body)))

    def hidden(self, id: str) -> Json:
        """Return the data beside an object, or an empty mapping."""
        row = self.row("select body from hidden where id = ?", (id,))
        return {} if row is None else json.loads(row["body"])

    def setting(self, name: str, default: Any = None) -> Any:
        """Return a setting of the stand-in."""
        row = self.row("select value from settings where name = ?", (name,))
        return default if row is None else json.loads(row["value"])

    def set(self, name: str, value: Any) -> None:
        """Store a setting."""
        self.run("insert or replace into settings (name, value) values (?, ?)", (name, json.dumps(value)))

    def empty(self) -> None:
        """Delete everything."""
        for table in ("settings", "objects", "hidden", "movements", "keys", "tasks", "deliveries"):
            self.run(f"delete from {table}")  # noqa: S608 a word of our own
