"""Asynchronous invocations and deliveries: retries, ages, destinations, as in Lambda's event queue."""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Services
from local.console import Console
from local.functions import Outcome, Pool
from local.resources import Function
from local.runtime import Failure

RETRY_PAUSES_SECONDS = (60.0, 120.0)


class Undelivered(Exception):
    """A target did not accept its event."""


class Dispatcher:
    """Runs functions as Lambda does for asynchronous callers."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        services: Services,
        console: Console,
        *,
        pauses_seconds: tuple[float, ...] = RETRY_PAUSES_SECONDS,
    ) -> None:
        self._services = services
        self._console = console
        self._pauses = pauses_seconds
        self._pools: dict[str, Pool] = {}
        for pool in pools.values():
            self._pools.update({pool.function.arn: pool, pool.function.invoked_arn: pool, pool.function.name: pool})
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver(self, arn: str, payload: str, what: str) -> None:
        """Pass a payload to a function (which then runs in the background) or to a queue. Raises Undelivered."""
        if arn in self._pools:
            self._spawn(self._run(self._pools[arn], payload, what))
        elif ":sqs:" in arn:
            try:
                await self._services.send(arn, payload)
            except (BotoCoreError, ClientError) as error:
                raise Undelivered(f"{arn}: {error}") from error
        else:
            raise Undelivered(f"{arn} does not run here.")

    async def call(self, arn: str, payload: str, what: str) -> Outcome | None:
        """Run a function once and return its outcome; a queue gets the payload, and None is returned."""
        if arn not in self._pools:
            await self.deliver(arn, payload, what)
            return None
        pool = self._pools[arn]
        outcome = await pool.invoke(payload.encode())
        self._tell(pool.function, what, outcome)
        return outcome

    async def stop(self) -> None:
        """Cancel everything that runs or waits for its next attempt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, pool: Pool, payload: str, what: str) -> None:
        policy, function = pool.function.policy, pool.function
        began, attempt = time.monotonic(), 0
        while True:
            outcome = await pool.invoke(payload.encode())
            attempt += 1
            self._tell(function, what if attempt == 1 else f"{what} (attempt {attempt})", outcome)
            failed = isinstance(outcome.result, Failure)
            if not failed:
                await self._report(policy.on_success, function, payload, outcome, attempt, "Success")
                return
            pause = self._pauses[min(attempt, len(self._pauses)) - 1]
            aged = time.monotonic() - began + pause > policy.age_seconds_max
            if attempt > policy.retries_max or aged:
                condition = "RetriesExhausted" if attempt > policy.retries_max else "EventAgeExceeded"
                await self._report(policy.on_failure, function, payload, outcome, attempt, condition)
                return
            await asyncio.sleep(pause)

    def _tell(self, function: Function, what: str, outcome: Outcome) -> None:
        failed = isinstance(outcome.result, Failure)
        self._console.invocation(function, what, "failed" if failed else "ok", outcome)
        if failed:
            self._console.failure(function, outcome)

    async def _report(
        self, arn: str | None, function: Function, payload: str, outcome: Outcome, attempts: int, condition: str
    ) -> None:
        if arn is None:
            return
        record = _record(function, payload, outcome, attempts, condition)
        try:
            await self.deliver(arn, json.dumps(record), f"destination of {function.title}")
        except Undelivered as error:
            self._console.say(f"{function.title}: the destination got nothing: {error}")


def _record(function: Function, payload: str, outcome: Outcome, attempts: int, condition: str) -> dict[str, Any]:
    """Return Lambda's record for a destination."""
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if isinstance(outcome.result, Failure):
        response["functionError"] = "Unhandled"
    return {
        "version": "1.0",
        "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.{int(time.time() * 1000) % 1000:03d}Z",
        "requestContext": {
            "requestId": outcome.request_id,
            "functionArn": function.invoked_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": _json(payload),
        "responseContext": response,
        "responsePayload": _json(outcome.payload.decode()),
    }


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
