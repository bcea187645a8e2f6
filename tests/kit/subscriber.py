"""A subscriber's server on this machine: keeps what it gets and answers as it is told.

with subscriber.running() as receiver:
    receiver.answers["/in"] = [500, 200]     # then 200 for ever
    … receiver.url("/in") … receiver.got
"""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The message, by the specification's own library. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Subscriber:
    """The running server. An answer is a status, or a function of the handler that answers by itself."""

    server: ThreadingHTTPServer
    scheme: str
    got: list[Request] = field(default_factory=list)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"taken"

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def url(self, path: str = "/in", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def next_answer(self, path: str) -> Any:
        planned = self.answers.get(path) or [200]
        return planned.pop(0) if len(planned) > 1 else planned[0]


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Subscriber]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            subscriber.got.append(Request(self.path, headers, body, time.monotonic()))
            answer = subscriber.next_answer(self.path)
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            for name, value in subscriber.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(subscriber.body)))
            self.end_headers()
            self.wfile.write(subscriber.body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Callers that hang up are what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    subscriber = Subscriber(server, "http" if tls is None else "https")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield subscriber
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer letter by letter, for ever: each read alone is quick."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            handler.wfile.write(b"x-%d: y\r\n" % number)
            handler.wfile.flush()
            time.sleep(0.05)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Answer 200 at once, and then a body without an end."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _number in range(1000):
            handler.wfile.write(b"y")
            handler.wfile.flush()
            time.sleep(0.05)


def hang(_handler: BaseHTTPRequestHandler) -> None:
    """Say nothing for a while."""
    time.sleep(2)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close without a word."""
    handler.connection.close()


def babble(handler: BaseHTTPRequestHandler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"HELLO THERE\r\n\r\n")


def flood(handler: BaseHTTPRequestHandler) -> None:
    """Answer 200 with far too much."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _number in range(10_000):
            handler.wfile.write(b"z" * 8192)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Subscriber]:
    """A subscriber's server on this machine, which deliver may call."""
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")
    with running() as found:
        yield found
