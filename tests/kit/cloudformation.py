"""Fake CloudFormation's side of a custom resource: build requests and receive the responses."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class CloudFormation:
    """Receives responses at `url` after refusing the first `refusals` ones."""

    url: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    content_types: list[str | None] = field(default_factory=list)
    refusals: int = 0

    def request(self, kind: str, **members: Any) -> dict[str, Any]:
        """Build the request for a Create, an Update or a Delete."""
        return {
            "RequestType": kind,
            "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:migrate:live",
            "ResponseURL": self.url,
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/marquee/0e8f6d20",
            "RequestId": "c5c3ad0f-5c22-4f6e-8e2b-7a3a1b0d9f11",
            "LogicalResourceId": "Migration",
            "ResourceType": "Custom::Migration",
            "ResourceProperties": {"Sql": "arn:aws:lambda:eu-central-1:123456789012:layer:sql:1"},
            **members,
        }


@contextlib.contextmanager
def listening() -> Iterator[CloudFormation]:
    """Run a fake CloudFormation on its own port."""

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if there.refusals > 0:
                there.refusals -= 1
                self.send_response(503)
            else:
                there.answers.append(json.loads(body))
                there.content_types.append(self.headers["Content-Type"])
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    there = CloudFormation(f"http://127.0.0.1:{server.server_port}/answer?signature=x")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
