"""All instances of a function: started by load, kept warm, discarded when the code changes.

A pool never runs more instances than its bound; further events wait in line. While others are warm, a new instance is
started only after somebody has waited for a moment, because on one machine a start is slower than waiting.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from local.instances import Instance, Surroundings
from local.resources import Function
from local.runtime import Failure, trace_id

PATIENCE_SECONDS = 0.05
EVENT_BYTES_MAX = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an invocation: the function's JSON or a failure, and the duration (cold start separate)."""

    request_id: str
    result: bytes | Failure
    seconds: float
    cold_seconds: float | None

    @property
    def payload(self) -> bytes:
        """The payload of Lambda's response: the result, or the error's JSON."""
        return self.result.payload if isinstance(self.result, Failure) else self.result


class Pool:
    """The instances of one function."""

    def __init__(
        self,
        function: Function,
        opt: Path,
        surroundings: Surroundings,
        *,
        instances_max: int,
        idle_seconds_max: float,
    ) -> None:
        reserved = function.reserved_concurrency
        self.function = function
        self.instances_max = instances_max if reserved is None else min(instances_max, reserved)
        self.idle_seconds_max = idle_seconds_max
        self._opt = opt
        self._surroundings = surroundings
        self._all: set[Instance] = set()
        self._idle: list[Instance] = []
        self._starting: set[Instance] = set()
        self._starts: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[float, asyncio.Future[Instance | Failure]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes of the running instances."""
        return [instance.pid for instance in self._all if instance.pid is not None and instance.alive]

    async def invoke(self, event: bytes, *, request_id: str | None = None) -> Outcome:
        """Run the function with an event, on a warm instance if one is free. Never raises the function's errors."""
        request_id = request_id or str(uuid4())
        if self.instances_max == 0 or self._stopped:
            reason = "Rate Exceeded." if not self._stopped else "The stack is stopping."
            return Outcome(request_id, Failure("TooManyRequestsException", reason), 0.0, None)
        instance = await self._acquire()
        if isinstance(instance, Failure):
            return Outcome(request_id, instance, 0.0, None)
        cold, instance.cold_seconds = instance.cold_seconds, None
        began = time.perf_counter()
        try:
            result = await instance.invoke(event, request_id, trace_id())
        finally:
            self._release(instance)
        return Outcome(request_id, result, time.perf_counter() - began, cold)

    def reload(self) -> None:
        """Discard the instances with the old code: none of them takes another invocation."""
        for instance in self._all:
            instance.stale = True
        stale, self._idle = self._idle, []
        for instance in stale:
            self._discard(instance)

    def retire(self) -> None:
        """Stop the instances that have been idle for too long."""
        limit = time.monotonic() - self.idle_seconds_max
        kept = [instance for instance in self._idle if instance.idle_since > limit and instance.alive]
        for instance in self._idle:
            if instance not in kept:
                self._discard(instance)
        self._idle = kept

    async def stop(self) -> None:
        """End all instances; waiting invocations fail."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            _, waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(Failure("TooManyRequestsException", "The stack is stopping."))
        await asyncio.gather(*(instance.stop() for instance in list(self._all)))
        await asyncio.gather(*self._starts, return_exceptions=True)

    async def _acquire(self) -> Instance | Failure:
        while self._idle:
            instance = self._idle.pop()
            if instance.alive:
                return instance
            self._discard(instance)
        waiter: asyncio.Future[Instance | Failure] = asyncio.get_running_loop().create_future()
        self._waiting.append((time.monotonic(), waiter))
        self._scale()
        return await waiter

    def _release(self, instance: Instance) -> None:
        if instance.stale or not instance.alive or self._stopped:
            self._discard(instance)
            self._scale()
            return
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(instance)
        else:
            instance.idle_since = time.monotonic()
            self._idle.append(instance)

    def _next_waiter(self) -> "asyncio.Future[Instance | Failure] | None":
        while self._waiting:
            _, waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _scale(self) -> None:
        """Start an instance if somebody has waited long enough for one, else check again at that time."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        starting = len(self._starting)
        if self._stopped or not self._waiting or len(self._all) >= self.instances_max or starting >= len(self._waiting):
            return
        waited = time.monotonic() - self._waiting[starting][0]
        if len(self._all) == 0 or waited >= PATIENCE_SECONDS:
            self._start()
            waited = 0.0
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(PATIENCE_SECONDS - waited, 0.005), self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._scale()

    def _start(self) -> None:
        instance = Instance(self.function, self._opt, self._surroundings)
        self._all.add(instance)
        self._starting.add(instance)
        task = asyncio.create_task(self._bring_up(instance))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _bring_up(self, instance: Instance) -> None:
        failure = await instance.start()
        self._starting.discard(instance)
        if failure is None:
            self._release(instance)
            return
        self._all.discard(instance)
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(failure)
        self._scale()

    def _discard(self, instance: Instance) -> None:
        self._all.discard(instance)
        task = asyncio.ensure_future(instance.stop())
        _ending.add(task)
        task.add_done_callback(_ending.discard)


_ending: set["asyncio.Future[None]"] = set()
"""Ending instances; the reference keeps them from being collected before their end."""


async def all_ended() -> None:
    """Wait until every discarded instance has ended."""
    while _ending:
        await asyncio.gather(*list(_ending), return_exceptions=True)
