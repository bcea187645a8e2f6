"""Work in a process of its own: its input and its answer are JSON, what it prints otherwise goes to nowhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench.runs import ROOT, Broken, environment

SECONDS_MAX = 180


def ask(module: str, question: dict[str, Any], **variables: str) -> Any:
    """Have `python -m module` answer a question, in the environment of a function. Raises Broken when it fails."""
    finished = subprocess.run(
        [sys.executable, "-m", module],
        check=False,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**variables),
        timeout=SECONDS_MAX,
    )
    if finished.returncode != 0:
        raise Broken(f"{module} failed:\n{finished.stderr.strip()[-2000:]}")
    return json.loads(finished.stdout)


def answer(work: Callable[[dict[str, Any]], Any]) -> None:
    """The other end: do the work that the input asks for and print what comes of it.

    What functions log and count meanwhile is written, to where nobody reads it.
    """
    result = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    with result:
        json.dump(work(json.load(sys.stdin)), result)
