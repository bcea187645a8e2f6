"""Copy the project without any data, for tests of `make up` and related commands."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from local.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("demo", "docs", "functions", "layers", "local", "sql", "stacks")
START_SECONDS_MAX = 90


class Project:
    """A copy of the project without any data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.said = folder / "said.txt"
        for name in NEEDED:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "template.yaml", folder)

    def run(self, module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command until it ends."""
        return subprocess.run(
            self._command(module, *arguments), **self._options(), capture_output=True, text=True, check=False
        )

    @contextlib.contextmanager
    def up(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Start the whole system, wait until it responds, and stop it as Ctrl-C does."""
        with self.said.open("wb") as said:
            process = subprocess.Popen(
                self._command("demo.up"), **self._options(), stdout=said, stderr=said, start_new_session=True
            )
        try:
            self._wait(process)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

    def is_healthy(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
            return bool(answer.status == 200)
        return False

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.is_healthy():
            assert process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)

    def _command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]

    def _options(self) -> dict[str, object]:
        path = f"{self.folder}{os.pathsep}{self.folder / 'layers' / 'domain'}"
        return {"cwd": self.folder, "env": {**os.environ, "PORT": str(self.port), "PYTHONPATH": path}}
