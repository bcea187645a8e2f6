"""A small HTTP client for load: several connections, each with one request at a time, for some seconds.

Its input is a JSON object: port, connections, seconds, tokens, events, first. Request n is sent by caller n modulo
their number, so every caller has one turn in each round. Caller and round choose the event, so no caller books an event
twice. Its output is the total seconds, and the milliseconds of each request.
"""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench.booking import processes
from bench.runs import MeasurementFailed

HEAD_BYTES_MAX = 65_536
RESPONSE_SECONDS_MAX = 30


def load(question: dict[str, Any]) -> dict[str, Any]:
    """Send requests from a separate process and return its output.

    Raises MeasurementFailed when a response has another status than 201.
    """
    result: dict[str, Any] = processes.call(__name__, question)
    return result


def bodies(tokens: list[str], events: list[str], first: int) -> Iterator[tuple[str, bytes]]:
    """Yield token and body of each request from number `first` on, as long as no caller books an event twice."""
    for number in itertools.count(first):
        caller, turn = number % len(tokens), number // len(tokens)
        if turn >= len(events):
            return
        event = events[(caller + turn) % len(events)]
        yield tokens[caller], json.dumps({"event_id": event, "seats": 1}).encode()


def request(port: int, token: str, body: bytes) -> bytes:
    """Return the bytes of a booking request."""
    head = (
        f"POST /bookings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {uuid.uuid4()}\r\n\r\n"
    )
    return head.encode() + body


def _work(question: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(_load(question))


async def _load(question: dict[str, Any]) -> dict[str, Any]:
    """Use all connections at once, until the time is over or all requests are sent."""
    waiting = itertools.islice(
        bodies(question["tokens"], question["events"], question["first"]), question["requests_max"]
    )
    taken: list[float] = []
    began = time.perf_counter()
    deadline = began + question["seconds"]
    async with asyncio.TaskGroup() as group:
        for number in range(question["connections"]):
            group.create_task(_connection(question["port"], number, waiting, deadline, taken))
    return {"seconds": time.perf_counter() - began, "milliseconds": taken}


async def _connection(
    port: int, number: int, waiting: Iterator[tuple[str, bytes]], deadline: float, taken: list[float]
) -> None:
    reader, writer = await _opened(port, number)
    try:
        for token, body in waiting:
            began = time.perf_counter()
            writer.write(request(port, token, body))
            async with asyncio.timeout(RESPONSE_SECONDS_MAX):
                status, text = await _response(reader)
            taken.append((time.perf_counter() - began) * 1000)
            if status != 201:
                raise MeasurementFailed(f"{status}: {text!r}")
            if time.perf_counter() >= deadline:
                return
    finally:
        writer.close()


async def _opened(port: int, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection from a separate loopback address, as callers have. Some systems have only one such address."""
    try:
        return await asyncio.open_connection(
            "127.0.0.1", port, limit=HEAD_BYTES_MAX, local_addr=(f"127.0.0.{number + 2}", 0)
        )
    except OSError:
        return await asyncio.open_connection("127.0.0.1", port, limit=HEAD_BYTES_MAX)


async def _response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, length, rest = head.partition(b"content-length:")
    if not length:
        raise MeasurementFailed(f"A response has no Content-Length: {head!r}")
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))


if __name__ == "__main__":
    processes.serve(_work)
