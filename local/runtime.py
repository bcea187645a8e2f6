"""Lambda's Runtime API for one instance: the server for the runtime client in the child process.

It passes on one invocation at a time. Each instance has a server on its own port, so that a call identifies its
instance.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from local import foreign_pages

VERSION = "/2018-06-01/runtime"
ANSWER_BYTES_MAX = 6 * 1024 * 1024 + 5 * 1024


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event on its way to an instance; the deadline is in seconds since the epoch."""

    request_id: str
    event: bytes
    arn: str
    deadline: float
    trace_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of a function or its runtime, in the form that Lambda's callers see."""

    kind: str
    message: str
    trace: tuple[str, ...] = ()

    @property
    def payload(self) -> bytes:
        """The JSON that Lambda returns instead of the function's result."""
        document: dict[str, Any] = {"errorType": self.kind, "errorMessage": self.message}
        if self.trace:
            document["stackTrace"] = list(self.trace)
        return json.dumps(document).encode()


class RuntimeApi:
    """The server of one instance. `ready` is done when its runtime first asks for work, or cannot."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Failure | None] = loop.create_future()
        self.address = ""
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._work: asyncio.Future[Invocation] = loop.create_future()
        self._answer: asyncio.Future[bytes | Failure] | None = None
        self._current: str | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._web = web.Server(self._handle, access_log=None, keepalive_timeout=3600, tcp_keepalive=False)
        self._server = await self._loop.create_server(self._web, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{port}"

    async def stop(self) -> None:
        """Close the port and everything that waits on it."""
        if self._server is not None:
            self._server.close()
        self._work.cancel()
        if self._web is not None:
            await self._web.shutdown(timeout=0.1)  # 0 would mean for ever
        self.fail(Failure("Runtime.ExitError", "The instance was stopped."))

    def begin(self, invocation: Invocation) -> "asyncio.Future[bytes | Failure]":
        """Pass an invocation to the runtime; the future gets its result or its failure."""
        self._current = invocation.request_id
        self._answer = self._loop.create_future()
        self._work.set_result(invocation)
        return self._answer

    def fail(self, failure: Failure) -> None:
        """Fail everything that is still expected of the runtime."""
        self._settle(failure)
        self._finish(failure)

    def _settle(self, failure: Failure | None) -> None:
        if not self.ready.done():
            self.ready.set_result(failure)

    def _finish(self, answer: bytes | Failure) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if foreign_pages.is_foreign(request.headers):
            return web.Response(status=403, text=foreign_pages.REFUSAL)
        path = request.path
        if path == f"{VERSION}/invocation/next":
            return await self._next()
        if path == f"{VERSION}/init/error":
            self._settle(_failure(await _read(request)))
            return web.json_response({"status": "OK"}, status=202)
        prefix, _, kind = path.rpartition("/")
        request_id = prefix.rpartition("/")[2]
        if request_id != self._current or kind not in ("response", "error"):
            return web.json_response(
                {"errorType": "InvalidRequestID", "errorMessage": "Unknown invocation."}, status=400
            )
        body = await _read(request)
        self._current = None
        if kind == "error":
            self._finish(_failure(body))
        elif len(body) > ANSWER_BYTES_MAX:
            message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} bytes)."
            self._finish(Failure("Function.ResponseSizeTooLarge", message))
        else:
            self._finish(body)
        return web.Response(status=202, body=b'{"status":"OK"}', content_type="application/json")

    async def _next(self) -> web.StreamResponse:
        self._settle(None)
        invocation = await self._work
        self._work = self._loop.create_future()
        headers: Mapping[str, str] = CIMultiDict(
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
                "Content-Type": "application/json",
            }
        )
        return web.Response(body=invocation.event, headers=headers)


async def _read(request: web.BaseRequest) -> bytes:
    """Return the whole body, which may be larger than aiohttp's own bound."""
    return b"".join([chunk async for chunk in request.content.iter_any()])


def _failure(body: bytes) -> Failure:
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    trace = document.get("stackTrace") or []
    return Failure(
        str(document.get("errorType") or "Runtime.Unknown"),
        str(document.get("errorMessage") or ""),
        tuple(str(line) for line in trace),
    )


def trace_id() -> str:
    """Return an X-Ray trace id in the form that Lambda passes on."""
    return f"Root=1-{int(time.time()):08x}-{time.time_ns() & (16**24 - 1):024x};Sampled=0"
