"""Run the stand-in in its own process, or use Stripe's test mode when STRIPE_API_KEY is set."""

import contextlib
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import stripe

ROOT = Path(__file__).resolve().parents[2]
KEY = os.environ.get("CONTRACT_STRIPE_KEY", "")
AGAINST_STRIPE = KEY.startswith("sk_test_")
START_SECONDS_MAX = 20
WAIT_SECONDS_MAX = 15


class Process:
    """A process of `python -m local.stripe` in a folder."""

    def __init__(self, folder: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "local.stripe", "--port", "0", "--folder", folder, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert "is ready" in said, said + self.process.stdout.read()
        self.url = said.split()[-1]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        ended = self.process.wait(timeout=WAIT_SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return ended


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """An API to test: the SDK's client, bare requests, and the controls of the stand-in."""

    url: str
    key: str
    client: "stripe.StripeClient" = field(init=False)

    def __post_init__(self) -> None:
        import stripe

        self.client = stripe.StripeClient(self.key, base_addresses={"api": self.url}, max_network_retries=0)

    @property
    def v1(self) -> Any:
        return self.client.v1

    def request(
        self, method: str, path: str, body: str | None = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        """Send a bare request. X_Key="…" sends the header X-Key, and Authorization="" omits it."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=30)
        given = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/x-www-form-urlencoded"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: value for name, value in given.items() if value})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def control(self, path: str, method: str = "POST", **document: Any) -> Any:
        """Call a control of the stand-in."""
        answer = self.request(method, f"/_stand_in{path}", json.dumps(document), Content_Type="application/json")
        assert answer.status == 200, answer.body
        return answer.json

    def act(self, kind: str, id: str, action: str, **document: Any) -> Any:
        return self.control(f"/{kind}/{id}/{action}", **document)

    def settle(self) -> None:
        """Run everything that would happen with time, and attempt every delivery."""
        self.control("/run", all=True)

    def events(self, **given: Any) -> list[Any]:
        """List the events, oldest first."""
        return list(reversed(self.v1.events.list({"limit": 100, **given}).data))

    def types(self, **given: Any) -> list[str]:
        return [event.type for event in self.events(**given)]


@dataclass
class Letter:
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        return str(json.loads(self.body)["type"])

    @property
    def id(self) -> str:
        return str(json.loads(self.body)["id"])


class Mailbox:
    """Receives webhooks. It responds with the statuses of `statuses`, then with 200."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.statuses: list[int] = []
        mailbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mailbox.letters.append(Letter({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(mailbox.statuses.pop(0) if mailbox.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def types(self) -> list[str]:
        return [letter.type for letter in self.letters]

    def wait(self, count: int) -> list[Letter]:
        until = time.monotonic() + WAIT_SECONDS_MAX
        while len(self.letters) < count:
            assert time.monotonic() < until, self.types()
            time.sleep(0.01)
        return self.letters
