"""The local stack of template.yaml in its own process, connected to a database of the benchmark."""

import contextlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.runs import ROOT, MeasurementFailed, environment, step
from local.issuer import Issuer
from local.postgres import free_port

AUDIENCE = "marquee"
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: the port that it listens on, and the issuer of the tokens that it accepts."""

    port: int
    issuer: Issuer

    def token(self, sub: str, role: str = "authenticated") -> str:
        """Return a token for a caller."""
        return self.issuer.token(f"http://127.0.0.1:{self.port}", audience=AUDIENCE, sub=sub, role=role)


@contextlib.contextmanager
def start(folder: Path, database_url: str, parameters: Sequence[str] = ()) -> Iterator[Stack]:
    """Start the stack, and stop it at the end. Raises MeasurementFailed when it does not start."""
    port = free_port()
    command = [sys.executable, "-m", "local", "--folder", str(folder), "up", f"--port={port}", "--quiet"]
    command += ["--name=marquee", f"--audience={AUDIENCE}", f"--environment=DATABASE_URL={database_url}"]
    settings = ["TokenIssuer={url}", "TokenJwksUrl={url}/.well-known/jwks.json", "ThrottleRate=10000"]
    settings += ["ThrottleBurst=5000", *parameters]
    command += [f"--parameter={parameter}" for parameter in settings]
    folder.mkdir()
    with (folder / "output.log").open("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that Ctrl-C reaches it only once, from us
        )
        try:
            with step("starting the local stack"):
                _await(process, port, folder / "output.log")
            yield Stack(port, Issuer(folder / "issuer"))
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
    raise MeasurementFailed(f"The local stack did not start:\n{log.read_text()[-2000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
