"""pgbench, PostgreSQL's load generator: it runs a script with several clients and reports transactions per second."""

import os
import re
import subprocess
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from bench.runs import MeasurementFailed
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
    """Run a script with `clients` sessions and return transactions per second.

    The sessions take the role `role`, or keep the login of the URL. The first second is not counted: in it sessions are
    opened and compile the routines that they call, which a connection of a function does only once.

    Raises MeasurementFailed when a transaction failed.
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


def read(stdout: str, stderr: str, status: int) -> float:
    """Return the rate that pgbench reported, without the seconds of its first progress report.

    Under load pgbench omits progress reports, but never the first one. So the rate is computed from the totals minus
    the first report. Raises MeasurementFailed when a transaction failed.
    """
    done, failed, whole = (
        re.search(pattern, stdout, re.MULTILINE)
        for pattern in (
            r"^number of transactions actually processed: (\d+)",
            r"^number of failed transactions: (\d+)",
            r"^tps = ([\d.]+)",
        )
    )
    first = re.search(r"^progress: ([\d.]+) s, ([\d.]+) tps", stderr, re.MULTILINE)
    if status != 0 or done is None or failed is None or int(failed[1]) or whole is None or first is None:
        raise MeasurementFailed(f"pgbench failed:\n{stderr.strip()[-2000:]}\n{stdout.strip()[-500:]}")
    settled, seconds = float(first[1]), float(done[1]) / float(whole[1])
    return (float(done[1]) - settled * float(first[2])) / (seconds - settled)
