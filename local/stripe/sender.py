"""Sends webhooks: signed, several at once, retried after a pause if the receiver does not respond 2xx."""

import asyncio
import json
import time
from collections.abc import Sequence

import aiohttp

from local.stripe import deliveries
from local.stripe.signatures import signature
from local.stripe.store import Json, Store

AT_ONCE = 8
ANSWER_SECONDS_MAX = 20.0
IDLE_SECONDS = 0.5
RETRY_PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)


class Sender:
    """Sends due deliveries. Stamps and pauses use the machine's time, which is the receiver's too."""

    def __init__(self, store: Store, pauses_seconds: Sequence[float] = RETRY_PAUSES_SECONDS) -> None:
        self._store = store
        self._pauses_seconds = pauses_seconds
        self._wake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._client: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start to deliver."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        self._client = aiohttp.ClientSession(timeout=timeout, trust_env=False, auto_decompress=False)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop at once; deliveries in progress are sent again after the next start."""
        tasks = [task for task in (self._task, *self._under_way.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def wake(self) -> None:
        """Wake the sender, because there may be a delivery."""
        self._wake.set()

    async def drain(self, seconds_max: float) -> bool:
        """Wait until nothing is due or in progress. Returns whether that happened in time."""
        until = time.monotonic() + seconds_max
        while self._under_way or deliveries.due(self._store, time.time(), 1):
            if time.monotonic() > until:
                return False
            self.wake()
            await asyncio.sleep(0.005)
        return True

    async def send(self, event: str, endpoint: str, stamp_offset_seconds: float = 0) -> tuple[int | None, str | None]:
        """Send an event once, out of order. Returns the status, or the reason why there is none."""
        payload, secrets, url = self._letter(event, endpoint)
        if payload is None:
            return None, "gone"
        stamp = int(time.time() + stamp_offset_seconds)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(payload, secrets, stamp),
        }
        assert self._client is not None  # noqa: S101 started
        try:
            async with self._client.post(url, data=payload, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status, None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return None, str(error) or type(error).__name__

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            room = AT_ONCE - len(self._under_way)
            if room > 0:
                for row in deliveries.due(self._store, time.time(), AT_ONCE * 2):
                    if row["place"] not in self._under_way and len(self._under_way) < AT_ONCE:
                        task = asyncio.create_task(self._deliver(*row))
                        self._under_way[row["place"]] = task
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _deliver(self, place: int, event: str, endpoint: str, attempts: int) -> None:
        try:
            status, error = await self.send(event, endpoint)
        finally:
            self._under_way.pop(place, None)
        self.record(place, attempts + 1, status, error)
        self.wake()

    def record(self, place: int, attempts: int, status: int | None, error: str | None) -> None:
        """Record the result of a delivery, and the time of its next attempt."""
        state, due = "pending", 0.0
        if status is not None and 200 <= status < 300:
            state = "delivered"
        elif error == "gone" or attempts > len(self._pauses_seconds):
            state = "failed"
        else:
            due = time.time() + self._pauses_seconds[attempts - 1]
        # A delivery that was dropped meanwhile stays dropped.
        self._store.run(
            "update deliveries set state = ?, attempts = ?, due = ?, status = ?, error = ? "
            "where place = ? and (state = 'pending' or ? = 'delivered')",
            (state, attempts, due, status, error, place, state),
        )

    def _letter(self, event: str, endpoint: str) -> tuple[bytes | None, list[str], str]:
        row = self._store.row("select body from objects where id = ?", (event,))
        to = self._store.row("select body from objects where id = ?", (endpoint,))
        if row is None or to is None:
            return None, [], ""
        document: Json = json.loads(row["body"])
        document["pending_webhooks"] = max(1, deliveries.pending(self._store, event))
        hidden = self._store.hidden(endpoint)
        secrets = [hidden["secret"]]
        if hidden.get("old_secret") and hidden.get("old_until", 0) > time.time():
            secrets.append(hidden["old_secret"])
        return json.dumps(document, indent=2).encode(), secrets, str(json.loads(to["body"])["url"])
