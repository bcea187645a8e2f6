"""Bookings over HTTP through the whole local stack: gateway, authorizer, function, database, all on this machine."""

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import stage
from bench.booking import client
from bench.measuring import Row, against, percentile
from bench.running import ROOT, Broken, Run, environment, say, step
from local.issuer import Issuer
from local.postgres import free_port

EVENTS = 200
CALLERS = 500
CONNECTIONS = 8
TARGET_PER_SECOND = 200
TARGET_P95_MS = 50
AUDIENCE = "marquee"
REQUESTS_PER_RUN_MAX = 30_000
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """http_rps and http_p95_ms, of the same requests."""
    runs, seconds = 3, run.pick(10, 2)
    database = made.database("web", customers=CALLERS, events=EVENTS)
    with _stack(run.folder / "stack", database.api) as port:
        issuer = Issuer(run.folder / "stack" / "issuer")
        tokens = [
            issuer.token(
                f"http://127.0.0.1:{port}", audience=AUDIENCE, sub=str(stage.customer(number)), role="authenticated"
            )
            for number in range(CALLERS)
        ]
        question = {
            "port": port,
            "connections": CONNECTIONS,
            "tokens": tokens,
            "events": [str(stage.event(number)) for number in range(EVENTS)],
            "requests_max": REQUESTS_PER_RUN_MAX,
        }
        with step(f"http: warming up with each of {CALLERS} callers"):
            client.load({**question, "first": 0, "seconds": START_SECONDS_MAX, "requests_max": CALLERS})
        rates, slow = [], []
        with step(f"http_rps, http_p95_ms: {runs} times {seconds} s over {CONNECTIONS} connections"):
            first = CALLERS
            for _ in range(runs):
                answer = client.load({**question, "first": first, "seconds": seconds})
                taken = answer["milliseconds"]
                first += len(taken) + CONNECTIONS
                rates.append(len(taken) / answer["seconds"])
                slow.append(percentile(taken, 0.95))
    say("http: " + ", ".join(f"{rate:.0f}/s, {late:.0f} ms" for rate, late in zip(rates, slow, strict=True)))
    yield against("http_rps", "bookings/s", rates, TARGET_PER_SECOND)
    yield against("http_p95_ms", "ms", slow, TARGET_P95_MS)
    made.drop(database)


@contextlib.contextmanager
def _stack(folder: Path, database_url: str) -> Iterator[int]:
    """The local stack of template.yaml with this database; the port it listens on."""
    port = free_port()
    command = [sys.executable, "-m", "local", "--folder", str(folder), "up", f"--port={port}", "--quiet"]
    command += ["--name=marquee", f"--audience={AUDIENCE}", f"--environment=DATABASE_URL={database_url}"]
    parameters = ["TokenIssuer={url}", "TokenJwksUrl={url}/.well-known/jwks.json"]
    parameters += ["ThrottleRate=10000", "ThrottleBurst=5000"]
    command += [f"--parameter={parameter}" for parameter in parameters]
    folder.mkdir()
    with (folder / "said.log").open("w+") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is ours to hand on, once
        )
        try:
            with step("starting the local stack"):
                _await(process, port, folder / "said.log")
            yield port
        finally:
            _stop(process)


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    raise Broken(f"The local stack did not come up:\n{log.read_text()[-2000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
