"""The initialization of the book function as in AWS: milliseconds, against importing its libraries alone (the floor).

As in AWS, DATABASE_URL is not set. The function imports boto3, fetches its two logins (here from moto's server) and
loads the SDK of X-Ray.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import boto3

from bench.figures import Row, compared, interleaved
from bench.runs import ROOT, MeasurementFailed, Run, environment, step

FUNCTION = "import app"
LIBRARIES = (
    "import psycopg, pydantic, aws_lambda_powertools.event_handler, aws_xray_sdk.core, boto3;"
    " boto3.client('secretsmanager')"
)
TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"
SECONDS_MAX = 60
ACCESS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true"}


def rows(run: Run) -> Iterator[Row]:
    """Yield `import_ms`: each import in a fresh process, with bytecode that is already compiled."""
    runs = run.pick(9, 3)
    with _secrets() as settings, step(f"import_ms: {runs} times a process for the libraries and one for the function"):
        for imports in (LIBRARIES, FUNCTION):
            _milliseconds(imports, settings)
        pairs = interleaved(
            runs, lambda _: _milliseconds(LIBRARIES, settings), lambda _: _milliseconds(FUNCTION, settings)
        )
    yield compared("import_ms", "ms", pairs)


@contextlib.contextmanager
def _secrets() -> Iterator[dict[str, str]]:
    """Serve two logins, and yield the settings of a function in AWS, with the tracing that Lambda switches on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.aws_server"],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port.isdecimal():
            raise MeasurementFailed("The local server of AWS did not start.")
        endpoint = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "secretsmanager",
            endpoint_url=endpoint,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        arns = {}
        for login in ("people", "service"):
            secret = json.dumps({"username": f"marquee_{login}", "password": "none", "host": "db.example"})
            arns[login] = client.create_secret(Name=login, SecretString=secret)["ARN"]
        yield {
            **ACCESS,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "POWERTOOLS_TRACE_DISABLED": "false",
            "DATABASE_PEOPLE_SECRET_ARN": arns["people"],
            "DATABASE_SERVICE_SECRET_ARN": arns["service"],
        }
    finally:
        process.kill()
        process.communicate()


def _milliseconds(imports: str, settings: Mapping[str, str]) -> float:
    """Return the milliseconds of these imports in a fresh Python, with the function's folder and the layer."""
    path = os.pathsep.join([str(ROOT / "functions" / "book"), str(ROOT / "layers" / "domain")])
    finished = subprocess.run(
        [sys.executable, "-c", TIMED.format(imports)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=path, **settings),
        cwd=ROOT / "functions",
        timeout=SECONDS_MAX,
    )
    if finished.returncode != 0:
        raise MeasurementFailed(f"{imports!r} failed:\n{finished.stderr.strip()[-2000:]}")
    if "secret_not_fetched" in finished.stderr + finished.stdout:
        raise MeasurementFailed(f"The function did not fetch its secrets:\n{finished.stdout.strip()[-2000:]}")
    return float(finished.stdout.strip().splitlines()[-1])
