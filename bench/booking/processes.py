"""Work in a separate process: its input and its output are JSON, and its other output is discarded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench.runs import ROOT, MeasurementFailed, environment

SECONDS_MAX = 180


def call(module: str, request: dict[str, Any], **variables: str) -> Any:
    """Run `python -m module` with a request as its input, in the environment of a function. Returns its output.

    Raises MeasurementFailed when it fails.
    """
    finished = subprocess.run(
        [sys.executable, "-m", module],
        check=False,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**variables),
        timeout=SECONDS_MAX,
    )
    if finished.returncode != 0:
        raise MeasurementFailed(f"{module} failed:\n{finished.stderr.strip()[-2000:]}")
    return json.loads(finished.stdout)


def serve(work: Callable[[dict[str, Any]], Any]) -> None:
    """Read a request, do its work and write the result, in the process that `call` started.

    Logs and metrics of functions are written as usual, but to the null device.
    """
    result = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    with result:
        json.dump(work(json.load(sys.stdin)), result)
