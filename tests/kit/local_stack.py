"""Run a real local stack in its own process, from a copy of the sample template that a test can change."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.postgres import free_port

SAMPLE = Path(__file__).resolve().parents[1] / "local" / "sample"
ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
START_SECONDS_MAX = 30
WAIT_SECONDS_MAX = 20


@dataclass(frozen=True)
class Answer:
    """A response: status, headers with lower-case names in order, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class LocalStack:
    """`python -m local up` over a copy of a sample in `folder`. `given` are its parameters."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        sample: Path = SAMPLE,
        given: dict[str, str] | None = None,
        **environment: str,
    ) -> None:
        self.template = folder / "sample" / "template.yaml"
        self.notes = folder / "notes"
        self.state = folder / "state"
        self.port = free_port()
        if not self.template.exists():
            shutil.copytree(sample, self.template.parent, ignore=shutil.ignore_patterns("__pycache__"))
        self.notes.mkdir(exist_ok=True)
        self._output = folder / "output.txt"
        self._arguments = arguments
        self._given = given
        self._environment = environment
        self.process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self._output.read_text()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "local", "--folder", str(self.state), *arguments]

    def run(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, **options
        )

    def parameters(self) -> list[str]:
        given = {"Issuer": "{url}", "Notes": str(self.notes)} if self._given is None else self._given
        parameters = [part for name, value in given.items() for part in ("--parameter", f"{name}={value}")]
        return ["--region", REGION, *parameters]

    def start(self) -> "LocalStack":
        command = self.command(
            "up", "--template", str(self.template), "--port", str(self.port), *self.parameters(), *self._arguments
        )
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=ROOT, env={**os.environ, **self._environment}
            )
        self.wait(lambda: "is ready" in self.output or self.process.poll() is not None, START_SECONDS_MAX)
        assert self.process.poll() is None, self.output
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=WAIT_SECONDS_MAX)

    def request(self, method: str, path: str, body: bytes | str | None = None, **headers: str | list[str]) -> Answer:
        """Send a request on a new connection. X_Key=… sends the header X-Key, and a list sends it several times."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                for each in value if isinstance(value, list) else [value]:
                    connection.putheader(name.replace("_", "-"), each)
            data = body.encode() if isinstance(body, str) else body
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            response = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in response.getheaders()]
            return Answer(response.status, pairs, response.read())

    def get(self, path: str, **headers: str | list[str]) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, document: Any, **headers: str) -> Answer:
        return self.request("POST", path, json.dumps(document), **{"Content-Type": "application/json", **headers})

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/.local/status", X_Local_Stack="1").json
        return found

    def noted(self, name: str) -> list[Any]:
        """Return the entries that functions wrote to a file of JSON lines."""
        file = self.notes / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @staticmethod
    def wait(until: Callable[[], Any], seconds: float = WAIT_SECONDS_MAX) -> Any:
        """Wait until a condition is true and return its value."""
        deadline = time.monotonic() + seconds
        while not (found := until()):
            assert time.monotonic() < deadline, "The condition was not true in time."
            time.sleep(0.05)
        return found


def alive(pid: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(status.strip()) and not status.startswith("Z")
