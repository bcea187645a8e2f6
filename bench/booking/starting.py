"""What it costs to import the book function, beside the libraries that it cannot do without."""

import os
import subprocess
import sys
from collections.abc import Iterator

from bench.measuring import Row, compared, interleaved
from bench.running import ROOT, Broken, Run, environment, step

FUNCTION = "import app"
LIBRARIES = "import psycopg, pydantic, aws_lambda_powertools.event_handler"
TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"
SECONDS_MAX = 60


def rows(run: Run) -> Iterator[Row]:
    """import_ms: each import in a fresh process, with compiled files that are there already."""
    runs = run.pick(9, 3)
    with step(f"import_ms: {runs} times a process for the libraries and one for the function"):
        for imports in (LIBRARIES, FUNCTION):
            _milliseconds(imports)
        pairs = interleaved(runs, lambda _: _milliseconds(LIBRARIES), lambda _: _milliseconds(FUNCTION))
    yield compared("import_ms", "ms", pairs)


def _milliseconds(imports: str) -> float:
    """How long a fresh Python takes to import that, as in Lambda: with the function's folder and the layer."""
    path = os.pathsep.join([str(ROOT / "functions" / "book"), str(ROOT / "layers" / "domain")])
    finished = subprocess.run(
        [sys.executable, "-c", TIMED.format(imports)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=path),
        cwd=ROOT / "functions",
        timeout=SECONDS_MAX,
    )
    if finished.returncode != 0:
        raise Broken(f"{imports!r} does not work:\n{finished.stderr.strip()[-2000:]}")
    return float(finished.stdout.strip().splitlines()[-1])
