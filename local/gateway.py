"""The HTTP gateway: a REST API of the template, on 127.0.0.1, as API Gateway serves it.

In AWS's order: route, throttling, size, authorizer, validation, integration, response. Paths without a route are
offered to local pages (documentation, keys, control) before they are refused.
"""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.http import HttpVersion11
from multidict import CIMultiDict

from local import events, refusals, responses
from local.authorizers import Gatekeeper
from local.console import Console
from local.events import Call
from local.functions import EVENT_BYTES_MAX, Outcome, Pool
from local.refusals import Answer, RefusedByGateway
from local.resources import Account, Api, Function, Operation
from local.routes import Routes
from local.runtime import Failure
from local.throttling import Throttles
from local.validation import Validators

BODY_BYTES_MAX = 10 * 1024 * 1024
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ENCODINGS = {*WINDOW_BITS, "identity"}

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse | None]]


class Gateway:
    """Serves one API. `page` serves paths without a route, or returns None."""

    def __init__(
        self, api: Api, account: Account, pools: Mapping[str, Pool], console: Console, page: Page, port: int
    ) -> None:
        self._api = api
        self._account = account
        self._pools = pools
        self._console = console
        self._page = page
        self._port = port
        self._routes = Routes(api.operations)
        self._throttles = Throttles(api.operations)
        self._validators = Validators(api)
        self._gatekeeper = Gatekeeper(api, account, self._authorize)
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[Outcome]] = set()

    async def start(self) -> None:
        """Listen; raises OSError if the port is taken."""
        self._web = web.Server(
            self._handle, access_log=None, max_field_size=16_380, max_line_size=16_380, auto_decompress=False
        )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._web, "127.0.0.1", self._port, reuse_address=True)

    async def stop(self) -> None:
        """Accept no more requests, and end the connections."""
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(timeout=1)
        for task in self._running:
            task.cancel()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        call = Call(
            method=request.method,
            path=path if path.startswith("/") else "/",
            query=query,
            headers=[(_decoded(name), _decoded(value)) for name, value in request.raw_headers],
            source_address=request.remote or "127.0.0.1",
            protocol="HTTP/1.1" if request.version == HttpVersion11 else "HTTP/1.0",
            port=self._port,
        )
        call.match = self._routes.match(call.method, call.path)
        if call.match is None:
            page = await self._page(request)
            if page is not None:
                return page
        began = time.perf_counter()
        outcome: Outcome | None = None
        function: Function | None = None
        try:
            operation = _operation(call)
            if operation.function is not None and operation.refusal is None:
                function = self._pools[operation.function].function
            outcome, answer = await self._serve(request, call, operation)
        except RefusedByGateway as refusal:
            answer = refusals.answer(refusal, call, self._api)
        self._console.request(call, answer.status, time.perf_counter() - began, function, outcome)
        return self._response(call, answer)

    async def _serve(self, request: web.BaseRequest, call: Call, operation: Operation) -> tuple[Outcome | None, Answer]:
        if operation.refusal is not None:
            return None, refusals.not_here(call, operation.refusal)
        if not self._throttles.allow(operation):
            raise RefusedByGateway("THROTTLED", "Too Many Requests")
        call.body = await self._read(request, call)
        await self._gatekeeper.admit(call, operation)
        if operation.function is None:
            return None, responses.mocked(operation)
        self._validators.check(call, operation)
        event = json.dumps(events.proxy(call, operation, self._api, self._account)).encode()
        if len(event) > EVENT_BYTES_MAX:
            raise RefusedByGateway("REQUEST_TOO_LARGE", "Request Too Long")
        outcome = await self._invoke(operation, event)
        if isinstance(outcome.result, Failure):
            self._console.failure(self._pools[operation.function].function, outcome)
            return outcome, refusals.answer(refusals.bad_gateway(), call, self._api)
        return outcome, responses.proxied(outcome.result, call, self._api)

    async def _invoke(self, operation: Operation, event: bytes) -> Outcome:
        """Run the function, which continues after the time-out, as in AWS; its late result is dropped."""
        task = asyncio.ensure_future(self._pools[operation.function or ""].invoke(event))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(operation.timeout_seconds):
                return await asyncio.shield(task)
        except TimeoutError as error:
            task.add_done_callback(lambda done: self._tell_late(operation, done))
            raise RefusedByGateway("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error

    def _tell_late(self, operation: Operation, task: "asyncio.Task[Outcome]") -> None:
        """Show the end of an invocation after its time-out."""
        if not task.cancelled() and task.exception() is None:
            self._console.failure(self._pools[operation.function or ""].function, task.result())

    async def _authorize(self, function: str, event: bytes) -> bytes | Failure:
        pool = self._pools[function]
        outcome = await pool.invoke(event)
        failed = isinstance(outcome.result, Failure)
        self._console.invocation(pool.function, "authorizer", "failed" if failed else "ok", outcome)
        if isinstance(outcome.result, Failure) and outcome.result.message != "Unauthorized":
            self._console.failure(pool.function, outcome)
        return outcome.result

    async def _read(self, request: web.BaseRequest, call: Call) -> bytes:
        too_large = RefusedByGateway("REQUEST_TOO_LARGE", f"HTTP content length exceeded {BODY_BYTES_MAX} bytes.")
        encoding = (call.header("Content-Encoding") or "identity").strip().lower()
        if self._api.compression_bytes_min is not None and encoding not in ENCODINGS:
            raise RefusedByGateway("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        if not request.body_exists:
            return b""
        if (request.content_length or 0) > BODY_BYTES_MAX:
            raise too_large
        if (call.header("Expect") or "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        inflating = zlib.decompressobj(WINDOW_BITS[encoding]) if encoding in WINDOW_BITS else None
        chunks, size = [], 0
        try:
            async for received in request.content.iter_any():
                chunk = inflating.decompress(received, BODY_BYTES_MAX + 1) if inflating else received
                size += len(chunk)
                if size > BODY_BYTES_MAX:
                    raise too_large
                chunks.append(chunk)
        except (web.RequestPayloadError, zlib.error) as error:
            raise RefusedByGateway("DEFAULT_4XX", "Bad Request") from error
        if inflating and not inflating.eof:
            raise RefusedByGateway("DEFAULT_4XX", "Bad Request")
        return b"".join(chunks)

    def _response(self, call: Call, answer: Answer) -> web.Response:
        headers = CIMultiDict(
            [
                ("x-amzn-RequestId", call.request_id),
                ("x-amz-apigw-id", call.extended_id),
                ("X-Amzn-Trace-Id", call.trace_id),
            ]
        )
        for name, value in answer.headers:
            headers.add(name, value)
        body = answer.body
        minimum = self._api.compression_bytes_min
        if minimum is not None and len(body) >= minimum and "Content-Encoding" not in headers:
            accepted = {part.partition(";")[0].strip() for part in (call.header("Accept-Encoding") or "").split(",")}
            if "gzip" in accepted:
                body = gzip.compress(body, compresslevel=1, mtime=0)
                headers["Content-Encoding"] = "gzip"
        response = web.Response(status=answer.status, headers=headers, body=body)
        if answer.status == 413:
            response.force_close()
        return response


def _operation(call: Call) -> Operation:
    if call.match is None:
        raise RefusedByGateway("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    return call.match.operation


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
