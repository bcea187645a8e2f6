"""pgbench, PostgreSQL's own load: a script, some clients, some seconds; what comes out is transactions per second."""

import os
import re
import subprocess
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from bench.runs import Broken
from local.postgres import binary

CLIENTS = 8
THREADS = 2
GRACE_SECONDS = 60
SETTLING_SECONDS = 1


def rate(
    url: str,
    script: Path,
    seconds: int,
    protocol: Literal["simple", "prepared"],
    *,
    clients: int = CLIENTS,
    role: str | None = None,
    **variables: int,
) -> float:
    """Transactions a second of so many clients, once their sessions have settled. Raises Broken when any failed.

    `role` is what the sessions become, if not the one that the URL logs in.

    The first second is not counted: sessions are opened in it and compile what they call, which the connections of
    functions do once in their lives.
    """
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    command = [
        str(binary("pgbench")),
        "--no-vacuum",
        f"--protocol={protocol}",
        f"--client={clients}",
        f"--jobs={THREADS}",
        f"--time={SETTLING_SECONDS + seconds}",
        "--progress=1",
        f"--file={script}",
        *(f"--define={name}={value}" for name, value in variables.items()),
        urlunsplit(parts._replace(netloc=f"{parts.username}@{address}")),
    ]
    finished = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + GRACE_SECONDS,
        env={
            **os.environ,
            "PGPASSWORD": unquote(parts.password or ""),
            "PGOPTIONS": "" if role is None else f"-c role={role}",
        },
    )
    return read(finished.stdout, finished.stderr, finished.returncode)


def read(told: str, complained: str, status: int) -> float:
    """The rate in what pgbench said, without the first of its reports. Raises Broken when any transaction failed.

    Under load pgbench leaves out reports, never the first one; so the rest is what is left of the whole.
    """
    done, failed, whole = (
        re.search(pattern, told, re.MULTILINE)
        for pattern in (
            r"^number of transactions actually processed: (\d+)",
            r"^number of failed transactions: (\d+)",
            r"^tps = ([\d.]+)",
        )
    )
    first = re.search(r"^progress: ([\d.]+) s, ([\d.]+) tps", complained, re.MULTILINE)
    if status != 0 or done is None or failed is None or int(failed[1]) or whole is None or first is None:
        raise Broken(f"pgbench did not do what was measured:\n{complained.strip()[-2000:]}\n{told.strip()[-500:]}")
    settled, seconds = float(first[1]), float(done[1]) / float(whole[1])
    return (float(done[1]) - settled * float(first[2])) / (seconds - settled)
