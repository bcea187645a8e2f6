"""Run a subscriber's server on this machine that records requests and sends the configured responses.

with subscriber.running() as receiver:
    receiver.answers["/in"] = [500, 200]     # then always 200
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
    """A request as received."""

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
        """Verify and return the message with the specification's own library. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Subscriber:
    """The running server. A response is a status, or a function that responds through the handler."""

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
            """Ignore callers that hang up, because some tests do this."""

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
    """Respond byte by byte without an end. Each single read is quick."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            handler.wfile.write(b"x-%d: y\r\n" % number)
            handler.wfile.flush()
            time.sleep(0.05)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Respond with 200 at once, then send an endless body."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _number in range(1000):
            handler.wfile.write(b"y")
            handler.wfile.flush()
            time.sleep(0.05)


def hang(_handler: BaseHTTPRequestHandler) -> None:
    """Wait without a response."""
    time.sleep(2)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    handler.connection.close()


def babble(handler: BaseHTTPRequestHandler) -> None:
    """Respond with text that is not HTTP."""
    handler.wfile.write(b"HELLO THERE\r\n\r\n")


def flood(handler: BaseHTTPRequestHandler) -> None:
    """Respond with 200 and an oversized body."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _number in range(10_000):
            handler.wfile.write(b"z" * 8192)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Subscriber]:
    """Run a subscriber's server on this machine, which functions may call."""
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")
    with running() as found:
        yield found
