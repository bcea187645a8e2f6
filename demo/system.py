"""The running system as its callers see it: real calls over HTTP, each with the token of a person."""

import contextlib
import json
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local import state

STATE = Path(".local/stack.json")
PEOPLE = Path(__file__).parent / "people.toml"
WAIT_SECONDS_MAX = 60


class Stopped(Exception):
    """The story cannot continue; the message says why."""


class System:
    """The running system, as its callers see it."""

    def __init__(self) -> None:
        if not STATE.exists():
            raise Stopped("Nothing is running here. Start it in another terminal: make up")
        self.url = str(json.loads(STATE.read_text())["url"])
        self.people: dict[str, str] = {
            name: entry["id"] for name, entry in tomllib.loads(PEOPLE.read_text())["people"].items()
        }
        organizations = tomllib.loads(PEOPLE.read_text())["organizations"]
        self.organization_id = str(next(iter(organizations.values()))["id"])
        self.addresses: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._quiet = False

    def call(
        self,
        who: str | None,
        method: str,
        path: str,
        body: Any = None,
        expect: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call the API as a person. Returns the parsed body. Raises Stopped for an unexpected status."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        if who is not None:
            headers["Authorization"] = f"Bearer {self._token(who)}"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(  # of our own URL
            self.url + path, None if body is None else json.dumps(body).encode(), headers, method=method
        )
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except urllib.error.URLError as error:
            raise Stopped(
                f"{self.url} does not answer ({error.reason}). Start it in another terminal: make up"
            ) from error
        milliseconds = (time.perf_counter() - began) * 1000
        if not self._quiet:
            print(f"    {who or 'anybody':8} {method:6} {path}  →  {status}  ({milliseconds:.0f} ms)")
        if status != expect:
            raise Stopped(f"{expect} was expected here. The answer: {text.decode()}")
        return json.loads(text) if text else None

    def sign_up(self, who: str) -> None:
        """Let a person sign in for the first time, with a new id and a verified address."""
        self.people[who] = str(uuid.uuid4())
        self.addresses[who] = f"{who}-{self.people[who][:8]}@example.org"

    def mails(self, address: str) -> list[Any]:
        """Return the e-mails that were sent to an address."""
        running = state.running(state.FOLDER)
        if running is None:
            raise Stopped("Nothing is running here. Start it in another terminal: make up")
        return [mail for mail in state.call(running.aws, "GET", "/.local/mails") if address in mail["to"]]

    def fire(self, schedule: str) -> None:
        """Run a schedule now instead of at its time."""
        print(f"    {'clock':8} fires  {schedule}")
        subprocess.run([sys.executable, "-m", "local", "fire", schedule], capture_output=True, check=True)

    def wait(self, what: str, look: Callable[[], Any], *, quietly: bool = False) -> Any:
        """Look until there is a result, and return it. Raises Stopped after a minute."""
        began = time.monotonic()
        with self.quietly():
            while not (seen := look()):
                if time.monotonic() - began > WAIT_SECONDS_MAX:
                    raise Stopped(f"{what} did not come within {WAIT_SECONDS_MAX} s: see .local/logs.")
                time.sleep(0.2)
        if not quietly:
            print(f"    {what} came after {time.monotonic() - began:.1f} s.")
        return seen

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Hide the calls in this block."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            if who == "service":
                command = ["demo.token", "--role", "service_role"]
            else:
                command = ["local", "token", "--sub", self.people[who], "--name", who.title()]
                if who in self.addresses:
                    command += ["--email", self.addresses[who]]
            made = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=True)
            self._tokens[who] = made.stdout.strip()
        return self._tokens[who]


def say(sentence: str) -> None:
    """Print one sentence of the story."""
    print(f"\n{sentence}")
