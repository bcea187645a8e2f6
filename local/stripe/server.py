"""The stand-in as a server on loopback: the API under /v1, the roles of Stripe and the payer under /_stand_in."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from local import foreign_pages
from local.stripe import tasks, webhook_endpoints
from local.stripe.clock import Clock
from local.stripe.controls import Controls
from local.stripe.identity import new_id
from local.stripe.pages import Pages
from local.stripe.request_context import Pace
from local.stripe.sender import RETRY_PAUSES_SECONDS, Sender
from local.stripe.service import Answer, Request, Service
from local.stripe.store import Json, Store

BODY_BYTES_MAX = 1024 * 1024
TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint that exists from the start. `connect`: for events of connected accounts, not of the platform."""

    url: str
    secret: str
    connect: bool = False
    events: tuple[str, ...] = ("*",)


class StandIn:
    """A running stand-in; `url` is the base address for the SDK."""

    def __init__(
        self,
        port: int,
        folder: Path | str,
        *,
        webhooks: Sequence[Webhook] = (),
        keys: Collection[str] = (),
        clock: Clock | None = None,
        pace: Pace | None = None,
        retry_pauses_seconds: Sequence[float] = RETRY_PAUSES_SECONDS,
    ) -> None:
        self._port = port
        self._webhooks = webhooks
        self._keys = keys
        self._clock = clock or Clock()
        self._pace = pace or Pace()
        self._folder = folder
        self._pauses = retry_pauses_seconds
        self.url = ""
        self.service: Service
        self.sender: Sender
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> "StandIn":
        """Open the state and listen. Raises OSError if the port is taken, InUse if the state is."""
        async with contextlib.AsyncExitStack() as stack:
            store = Store(self._folder)
            stack.callback(store.close)
            server = await asyncio.get_running_loop().create_server(
                web_server := web.Server(self._handle, access_log=None), "127.0.0.1", self._port, reuse_address=True
            )
            stack.push_async_callback(web_server.shutdown, 1)
            stack.callback(server.close)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.service = self._opened(store)
            self.sender = Sender(store, self._pauses)
            self._controls = Controls(self.service, self.sender)
            self._pages = Pages(self.service)
            await self.sender.start()
            stack.push_async_callback(self.sender.stop)
            ticking = asyncio.create_task(self._tick())
            stack.callback(ticking.cancel)
            self._stack = stack.pop_all()
        return self

    async def stop(self) -> None:
        """Accept no more requests, and close the state."""
        await self._stack.aclose()

    def _opened(self, store: Store) -> Service:
        with store.transaction():
            platform = store.setting("platform")
            if platform is None:
                platform = new_id("acct", 16)
                store.set("platform", platform)
            self._clock.offset_seconds = store.setting("clock_offset_seconds", self._clock.offset_seconds)
            frozen_at = store.setting("clock_frozen_at")
            self._clock.frozen_at = self._clock.frozen_at if frozen_at is None else frozen_at
            service = Service(store, self._clock, self._pace, platform, self.url, self._keys)
            for webhook in self._webhooks:
                _register(service, webhook)
        return service

    async def _tick(self) -> None:
        while True:
            if tasks.run_due(self.service):
                self.sender.wake()
            await asyncio.sleep(TICK_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # Pages of shops link to the pages on which payers pay; everything else needs a POST.
        if foreign_pages.is_foreign(request.headers, navigates=request.method in ("GET", "HEAD")):
            return web.Response(status=403, text=foreign_pages.REFUSAL)
        path, _, query = request.raw_path.partition("?")
        body = await _read(request)
        if body is None:
            return web.Response(status=413, text="The request is too large.")
        asked = Request(request.method, path, query, request.headers, body)
        if path.startswith("/_stand_in"):
            answer = await self._pages.answer(asked) or await self._controls.answer(asked)
        else:
            answer = await self.service.answer(asked)
        self.sender.wake()
        return _response(request, answer)


async def serve(
    port: int,
    folder: Path | str,
    *,
    webhooks: Sequence[Webhook] = (),
    keys: Collection[str] = (),
    clock: Clock | None = None,
    pace: Pace | None = None,
    retry_pauses_seconds: Sequence[float] = RETRY_PAUSES_SECONDS,
) -> StandIn:
    """Start a stand-in on 127.0.0.1; port 0 takes a free one, folder ':memory:' stores nothing. Stop it with `stop`."""
    stand_in = StandIn(
        port,
        folder,
        webhooks=webhooks,
        keys=keys,
        clock=clock,
        pace=pace,
        retry_pauses_seconds=retry_pauses_seconds,
    )
    return await stand_in.start()


def _register(service: Service, webhook: Webhook) -> None:
    """Create the endpoint, or give this secret to the one with its address and kind."""
    work = service.work(service.platform)
    store = service.store
    for row in store.rows(
        "select id from objects where kind = 'webhook_endpoint' and account = ? and json_extract(body, '$.url') = ?",
        (work.account, webhook.url),
    ):
        hidden = store.hidden(row["id"])
        if bool(hidden.get("connect")) == webhook.connect:
            store.hide(row["id"], {**hidden, "secret": webhook.secret})
            found = work.get("webhook_endpoint", row["id"])
            found["enabled_events"] = list(webhook.events)
            work.save(found)
            return
    given: Json = {"url": webhook.url, "enabled_events": list(webhook.events), "connect": webhook.connect}
    webhook_endpoints.registered(work, given, webhook.secret)


async def _read(request: web.BaseRequest) -> bytes | None:
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _response(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    if answer.lost and request.transport is not None:
        request.transport.abort()
    return web.Response(status=answer.status or 500, body=answer.body, headers=answer.headers)
