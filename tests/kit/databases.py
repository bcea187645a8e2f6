"""Provide a real PostgreSQL for every test that needs one.

Each worker has one server without fsync, in memory where there is room. One database is migrated per session. Each
test with `db` gets its own copy. A module whose tests need the same rows names a filled database in the fixture
`template`. DATABASE_URL points to the copy for the three logins of the functions, which share a password here.
"""

import itertools
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from local.postgres import Server
from marquee.core import database, migrations
from marquee.core.settings import LOGINS, Login
from marquee.operations import logins
from tests.kit.data_folders import data_folder
from tests.kit.reused_databases import ReusedDatabase

SQL = Path(__file__).resolve().parents[2] / "sql"
TEMPLATE = "marquee_template"
API_PASSWORD = secrets.token_urlsafe(16)

Connection = psycopg.Connection[DictRow]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start the worker's PostgreSQL with one migrated database to copy."""
    with data_folder() as folder:
        # Keep the write-ahead log small: it would use memory, and each copy writes a checkpoint anyway.
        running = Server(folder / "postgres", durable=False, settings={"max_wal_size": "256MB"})
        running.start()
        try:
            with psycopg.connect(running.url(), autocommit=True) as connection:
                connection.execute(f"create database {TEMPLATE}")
            with psycopg.connect(running.url(TEMPLATE), autocommit=True) as connection:
                migrations.migrate(connection, SQL)
                set_passwords(connection)
            yield running
        finally:
            running.stop("immediate")


def set_passwords(connection: psycopg.Connection) -> None:
    """Set the tests' password for the functions' logins."""
    for login in LOGINS.values():
        logins.set_password(connection, login, login, API_PASSWORD)


def api_url(server: Server, database_name: str, login: Login | Literal[""] = "") -> str:
    """Return the URL of a database for one login, or a DATABASE_URL for all three."""
    return server.url(database_name, login, API_PASSWORD)


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder whose database `postgres` is migrated, for tests that crash a server of their own."""
    server = Server(tmp_path_factory.mktemp("migrated") / "postgres", durable=False)
    server.start()
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            migrations.migrate(connection, SQL)
            set_passwords(connection)
    finally:
        server.stop()
    return server.data


@pytest.fixture
def durable(migrated_folder: Path, tmp_path: Path) -> Iterator[Server]:
    """Start a server with fsync, as in production, whose database `postgres` is migrated."""
    server = Server(tmp_path / "postgres", durable=True)
    subprocess.run(["cp", "-a", migrated_folder, server.data], check=True)  # keeps the owner
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def copier(server: Server) -> Iterator[psycopg.Connection]:
    """Return the connection that copies and drops databases."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


def copy_database(copier: psycopg.Connection, name: str, template: str = TEMPLATE) -> None:
    """Copy the migrated or a filled database, and revoke the default rights that PostgreSQL gives a copy."""
    copier.execute(f"create database {name} template {template} strategy file_copy")
    copier.execute(f"revoke temporary on database {name} from public")


def drop_database(copier: psycopg.Connection, name: str) -> None:
    """Drop a database even if connections remain."""
    copier.execute(f"drop database {name} with (force)")


class Databases:
    """The databases of a worker's tests. One is in use or kept for the next test with the same template."""

    def __init__(self, server: Server, copier: psycopg.Connection) -> None:
        self.server, self.copier = server, copier
        self.kept: ReusedDatabase | None = None
        self._template = TEMPLATE

    def take(self, template: str = TEMPLATE) -> ReusedDatabase:
        """Return the kept database if it is a copy of the template, or a new one."""
        taken, self.kept = self.kept, None
        if taken and self._template != template:
            self._drop(taken)
            taken = None
        self._template = template
        if taken is None:
            name = f"test_{next(_numbers)}"
            copy_database(self.copier, name, template)
            taken = ReusedDatabase(name, self.server.url(name))
        return taken

    def give_back(self, used: ReusedDatabase) -> None:
        """Keep the database for the next test if it equals a new copy again; otherwise drop it."""
        if used.refill():
            self.kept = used
        else:
            self._drop(used)

    def _drop(self, used: ReusedDatabase) -> None:
        used.close()
        drop_database(self.copier, used.name)


@pytest.fixture(scope="session")
def databases(server: Server, copier: psycopg.Connection) -> Iterator[Databases]:
    """Keep a database between the tests of a worker."""
    all_of_them = Databases(server, copier)
    yield all_of_them
    if all_of_them.kept:
        all_of_them.kept.close()
    database.disconnect()


@pytest.fixture(scope="module")
def template() -> str:
    """Return the name of the database that the tests' databases copy."""
    return TEMPLATE


@pytest.fixture
def reused_database(
    request: pytest.FixtureRequest, databases: Databases, template: str
) -> Iterator[ReusedDatabase | None]:
    """Return the test's database, unless the test is marked to have a database of its own."""
    if request.node.get_closest_marker("own_database"):
        yield None
        return
    used = databases.take(template)
    yield used
    databases.give_back(used)


@pytest.fixture
def database_name(copier: psycopg.Connection, reused_database: ReusedDatabase | None, template: str) -> Iterator[str]:
    """Return a migrated database for the test alone; it equals a new copy of the template."""
    if reused_database:
        yield reused_database.name
        return
    name = f"test_{next(_numbers)}"
    copy_database(copier, name, template)
    yield name
    drop_database(copier, name)


class Connect:
    """Open connections to the test's database: connect(), connect("marquee_people"), connect(autocommit=False)."""

    def __init__(self, server: Server, database_name: str, reused: ReusedDatabase | None) -> None:
        self._server, self._name, self._reused = server, database_name, reused
        self._opened: list[Connection] = []
        self._renewable: set[Connection] = set()

    def __call__(self, user: Literal["postgres"] | Login = "postgres", **options: Any) -> Connection:
        """Return a connection of the owner or a login. The options are those of psycopg.connect."""
        if self._reused and user == "postgres" and options.keys() <= {"autocommit"}:
            connection = self._reused.connect()
            connection.autocommit = options.get("autocommit", True)
            self._renewable.add(connection)
        else:
            name = self._name
            url = self._server.url(name) if user == "postgres" else api_url(self._server, name, user)
            connection = psycopg.connect(url, **{"autocommit": True, "row_factory": dict_row, **options})
        self._opened.append(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """End the use of a connection: it is closed, or renewed for the next call."""
        self._opened.remove(connection)
        if self._reused and connection in self._renewable:
            self._renewable.remove(connection)
            self._reused.give_back(connection)
        else:
            connection.close()

    def give_all_back(self) -> None:
        """End the use of all connections."""
        while self._opened:
            self.give_back(self._opened[-1])


@pytest.fixture
def connect(server: Server, database_name: str, reused_database: ReusedDatabase | None) -> Iterator[Connect]:
    """Open more connections to the test's database."""
    connect = Connect(server, database_name, reused_database)
    yield connect
    connect.give_all_back()


@pytest.fixture
def db(
    server: Server,
    database_name: str,
    reused_database: ReusedDatabase | None,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Connection]:
    """Return the owner's connection to the test's migrated database, which DATABASE_URL names."""
    monkeypatch.setenv("DATABASE_URL", api_url(server, database_name))
    yield connect()
    if reused_database is None:
        database.disconnect()


@pytest.fixture(scope="session")
def shared_name(copier: psycopg.Connection) -> str:
    """Create a migrated database that no test changes."""
    copy_database(copier, "rolled_back")
    return "rolled_back"


@pytest.fixture
def rolled_back(server: Server, shared_name: str) -> Iterator[Connection]:
    """Return the owner's connection in a transaction that is rolled back, for reads and refusals."""
    with psycopg.connect(server.url(shared_name), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()
