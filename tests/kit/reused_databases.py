"""Reuse a test's database for the next test as long as it equals a new copy of the migrated one.

To copy and drop a database costs more than most tests, and new connections have compiled no routine yet. So a test's
database is refilled: rows that the test added are deleted, tables that the migrations filled get their rows back, and
sequences start again. Connections that are idle stay open. A database is dropped if its schema, rights, settings or
statistics changed, if it grew, or if it was used often.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from marquee.core.settings import LOGINS

USES_MOST = 50
IDLE_MOST = 24
GROWTH_MOST_BYTES = 12_000_000
CATALOGS: tuple[LiteralString, ...] = (
    "attrdef",
    "attribute",
    "class",
    "constraint",
    "default_acl",
    "description",
    "enum",
    "extension",
    "index",
    "inherits",
    "namespace",
    "partitioned_table",
    "policy",
    "proc",
    "publication",
    "rewrite",
    "sequence",
    "statistic",
    "statistic_ext",
    "trigger",
    "type",
)
"""Each change of the schema, its rights or its statistics adds, updates or deletes a row of one of these."""

NEWER = sql.SQL("age(c.xmin) < age(%(since)s::xid)")
STATE = sql.SQL(
    """
    select
        (
            select array[s.setconfig::text, d.datacl::text]
            from pg_catalog.pg_database as d
            left join pg_catalog.pg_db_role_setting as s on s.setdatabase = d.oid
            where d.datname = current_database()
        ),
        {catalogs}
    """
).format(
    catalogs=sql.SQL(", ").join(
        sql.SQL("(select array[count(*), count(*) filter (where {})] from {} as c)").format(
            NEWER, sql.Identifier("pg_catalog", f"pg_{name}")
        )
        for name in CATALOGS
    )
)
TABLES = """
select
    c.oid,
    n.nspname,
    c.relname,
    array(select t.tgname::text from pg_trigger as t where t.tgrelid = c.oid and t.tgenabled = 'A')
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
"""
WRITTEN = """
select t.oid, s.size
from unnest(%s::oid[]) as t (oid)
cross join lateral (select pg_relation_size(t.oid) as size) as s
where s.size > 0
"""
END_OTHERS = """
select pg_terminate_backend(a.pid, 10000)
from pg_stat_activity as a
where a.datname = current_database() and a.pid <> all(%s) and not (a.state = 'idle' and a.usename = any(%s))
"""
XID = "select pg_current_xact_id()::xid::text"
SEQUENCES = "select s.seqrelid, s.seqstart, pg_sequence_last_value(s.seqrelid) from pg_sequence as s"
RENEW = "close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all()"


@dataclass(frozen=True, slots=True)
class Seed:
    """A table that the migrations filled: its rows as COPY text, and their number."""

    rows: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with its triggers that even a replica fires, such as those of the ledger."""

    name: sql.Identifier
    guards: list[str]

    def emptied(self) -> sql.Composable:
        """Return the statements that delete all rows."""
        delete = sql.SQL("delete from only {}").format(self.name)
        if not self.guards:
            return delete
        alter = sql.SQL("alter table {} ").format(self.name)
        again = (alter + sql.SQL("enable always trigger {}").format(sql.Identifier(guard)) for guard in self.guards)
        return sql.SQL("; ").join(
            [alter + sql.SQL("disable trigger user"), delete, alter + sql.SQL("enable trigger user"), *again]
        )


class ReusedDatabase:
    """A database that several tests use in turn: it may be used again if `refill` returns True."""

    def __init__(self, name: str, url: str) -> None:
        """Remember what a new copy contains. `url`: the owner's."""
        self.name, self._url = name, url
        self._uses = 0
        self._idle: list[psycopg.Connection[DictRow]] = []
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("set session_replication_role = replica")  # triggers and foreign keys forbid deletions
        self._tables = {
            oid: Table(sql.Identifier(schema, table), guards)
            for oid, schema, table, guards in self._connection.execute(TABLES)
        }
        written = self._written()
        self._bytes = sum(written.values())
        self._since = str(self._connection.execute(XID).fetchall()[0][0])
        states = self._table_states(list(written))
        self._seeds = {oid: Seed(self._rows(oid), count) for oid, (count, _) in states.items() if count}
        self._sequences = self._sequence_states()
        self._schema = self._schema_state()

    def connect(self) -> psycopg.Connection[DictRow]:
        """Return an idle connection of the owner, or a new one."""
        if self._idle:
            return self._idle.pop()
        return psycopg.connect(self._url, autocommit=True, row_factory=dict_row)

    def give_back(self, connection: psycopg.Connection[DictRow]) -> None:
        """Keep a connection for the next `connect`, as good as new, or close it."""
        if connection.closed or connection.row_factory is not dict_row or len(self._idle) >= IDLE_MOST:
            connection.close()
            return
        try:
            connection.rollback()
            connection.autocommit = True
            connection.execute(RENEW)
        except psycopg.OperationalError:
            connection.close()
        else:
            self._idle.append(connection)

    def refill(self) -> bool:
        """Give the database the contents of a new copy, and return True; or return False if it can't be reused."""
        self._uses += 1
        if self._uses >= USES_MOST:
            return False
        try:
            own = [connection.info.backend_pid for connection in (self._connection, *self._idle)]
            self._connection.execute(END_OTHERS, [own, list(LOGINS.values())])
            if self._schema_state() != self._schema:
                return False
            written = self._written()
            if sum(written.values()) > self._bytes + GROWTH_MOST_BYTES:
                return False
            self._refill_tables(list(written))
        except psycopg.OperationalError:  # the test stopped the server, or ended this connection
            return False
        return True

    def close(self) -> None:
        """Close the connections, so that the database can be dropped."""
        for connection in (self._connection, *self._idle):
            connection.close()

    def _refill_tables(self, written: list[int]) -> None:
        states = self._table_states(list(self._seeds))
        changed = [oid for oid, seed in self._seeds.items() if states[oid] != (seed.count, 0)]
        emptied = [oid for oid in written if oid not in self._seeds or oid in changed]
        moved = self._sequence_states().items() - self._sequences.items()
        statements = [
            *(self._tables[oid].emptied() for oid in emptied),
            *(self._restarted(oid) for oid, _ in moved),
        ]
        with self._connection.transaction():
            if statements:
                self._connection.execute(sql.SQL("; ").join(statements))
            for oid in changed:
                query = sql.SQL("copy {} from stdin").format(self._tables[oid].name)
                with self._connection.cursor().copy(query) as copy:
                    copy.write(self._seeds[oid].rows)
            self._since = str(self._connection.execute(XID).fetchall()[0][0])

    def _written(self) -> dict[int, int]:
        """Return the tables with a page, and their bytes. Deletions leave the pages."""
        return dict(self._connection.execute(WRITTEN, [list(self._tables)]).fetchall())

    def _sequence_states(self) -> dict[int, tuple[int, int | None]]:
        """Return the start and the last value of each sequence; None if it gave no value yet."""
        return {oid: (start, last) for oid, start, last in self._connection.execute(SEQUENCES)}

    def _restarted(self, oid: int) -> sql.Composable:
        """Return the statement that gives a sequence its first state."""
        start, last = self._sequences[oid]
        return sql.SQL("select setval({}, {}, {})").format(oid, start if last is None else last, last is not None)

    def _rows(self, oid: int) -> bytes:
        query = sql.SQL("copy {} to stdout").format(self._tables[oid].name)
        with self._connection.cursor().copy(query) as copy:
            return b"".join(bytes(block) for block in copy)

    def _table_states(self, oids: list[int]) -> dict[int, tuple[int, int]]:
        """Return the number of rows, and of those written since the last refill, for each table."""
        state = sql.SQL("select {}::bigint, count(*), count(*) filter (where {}) from only {} as c")
        query = sql.SQL(" union all ").join(state.format(oid, NEWER, self._tables[oid].name) for oid in oids)
        rows = self._connection.execute(query, {"since": self._since}).fetchall()
        return {oid: (count, newer) for oid, count, newer in rows}

    def _schema_state(self) -> Any:
        return self._connection.execute(STATE, {"since": self._since}).fetchone()
