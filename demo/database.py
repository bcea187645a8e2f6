"""The database on this machine: PostgreSQL from the package index, migrated and filled with the demo."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from local.console import Console
from local.postgres import Server

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "marquee"
LOGINS = ("marquee_public", "marquee_people", "marquee_service")


class NotReady(Exception):
    """Something that the system needs is missing; the message says how to get it."""


def prepare(server: Server, console: Console) -> str:
    """Start the server, migrate its database, fill it. Returns the owner's URL. Raises NotReady and ServerError."""
    with console.step("PostgreSQL") as step:
        server.start()
        with psycopg.connect(server.url(), autocommit=True) as connection:
            found = connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        step.note = f"{os.path.relpath(server.data)}, port {server.port}"
    owner = server.url(DATABASE)
    migrate(owner, console)
    unfilled = "The demo data could not be loaded. Correct the error above, or start again: make reset"
    with console.step("demo data") as step:
        step.note = _run(unfilled, "demo.load", "--url", owner)
    return owner


def migrate(owner: str, console: Console) -> None:
    """Migrate a database as its owner. Raises NotReady."""
    problem = "The database could not be migrated. Correct the file named above, or start again: make reset"
    with console.step("migrations") as step:
        step.note = _run(problem, "marquee.core.migrations", "apply", "--url", owner, "--sql", "sql")


def login(server: Server) -> str:
    """Give the functions' logins a new password and return the URL for all of them, which names no user."""
    password = secrets.token_urlsafe(24)
    set_passwords(server.url(DATABASE), password)
    return server.url(DATABASE, "", password)


def set_passwords(owner: str, password: str) -> None:
    """Set this password for the functions' three logins."""
    with psycopg.connect(owner, autocommit=True) as connection:
        for each in LOGINS:
            hidden = connection.pgconn.encrypt_password(password.encode(), each.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(each), sql.Literal(hidden)))


def _run(problem: str, module: str, *arguments: str) -> str:
    """Run a module of the project. Returns its last line. Raises NotReady with its output if it fails."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "domain")])
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise NotReady(f"{finished.stdout}{finished.stderr}".rstrip() + f"\n{problem}")
    lines = finished.stdout.strip().splitlines()
    return lines[-1].strip() if len(lines) <= 1 else f"{len(lines)} files applied"
