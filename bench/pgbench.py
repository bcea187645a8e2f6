"""pgbench, PostgreSQL's own load: a script, some clients, some seconds; what comes out is transactions per second."""

import os
import re
import subprocess
from pathlib import Path
from statistics import fmean
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from bench.running import Broken
from local.postgres import binary

CLIENTS = 8
THREADS = 2
GRACE_SECONDS = 60
SETTLING_SECONDS = 1


def rate(url: str, script: Path, seconds: int, protocol: Literal["simple", "prepared"], **variables: int) -> float:
    """Transactions a second of CLIENTS clients, once their sessions have settled. Raises Broken when any failed.

    The first second is not counted: sessions are opened in it and compile what they call, which the connections of
    functions do once in their lives.
    """
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    command = [
        str(binary("pgbench")),
        "--no-vacuum",
        f"--protocol={protocol}",
        f"--client={CLIENTS}",
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
        env={**os.environ, "PGPASSWORD": unquote(parts.password or "")},
    )
    return read(finished.stdout, finished.stderr, finished.returncode)


def read(told: str, complained: str, status: int) -> float:
    """The rate in what pgbench said of the seconds after the first. Raises Broken when any transaction failed."""
    failed = re.search(r"number of failed transactions: (\d+)", told)
    rates = [float(rate) for rate in re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", complained, re.MULTILINE)]
    if status != 0 or failed is None or int(failed[1]) or len(rates) <= SETTLING_SECONDS:
        raise Broken(f"pgbench did not do what was measured:\n{complained.strip()[-2000:]}\n{told.strip()[-500:]}")
    return fmean(rates[SETTLING_SECONDS:])
