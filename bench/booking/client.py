"""A small HTTP client for load: so many connections, each with one request at a time, for so many seconds.

Its input is a JSON object: port, connections, seconds, tokens, events, first. Request number n is sent by caller
n modulo their number, so that no caller comes twice until all have; caller and round choose the event, so that nobody
books an event twice. Its answer: the seconds it took, the milliseconds of each request.
"""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench.booking import processes
from bench.runs import Broken

HEAD_BYTES_MAX = 65_536
ANSWER_SECONDS_MAX = 30


def load(question: dict[str, Any]) -> dict[str, Any]:
    """Send requests from a process of its own; answers its JSON. Raises Broken when one is not answered with 201."""
    answer: dict[str, Any] = processes.ask(__name__, question)
    return answer


def bodies(tokens: list[str], events: list[str], first: int) -> Iterator[tuple[str, bytes]]:
    """Token and body of each request from number `first` on, as long as nobody books an event twice."""
    for number in itertools.count(first):
        caller, turn = number % len(tokens), number // len(tokens)
        if turn >= len(events):
            return
        event = events[(caller + turn) % len(events)]
        yield tokens[caller], json.dumps({"event_id": event, "seats": 1}).encode()


def request(port: int, token: str, body: bytes) -> bytes:
    """A booking as it goes over the wire."""
    head = (
        f"POST /bookings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {uuid.uuid4()}\r\n\r\n"
    )
    return head.encode() + body


def _work(question: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(_load(question))


async def _load(question: dict[str, Any]) -> dict[str, Any]:
    """All connections at once, until the time is over or the requests are sent."""
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
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                status, text = await _answer(reader)
            taken.append((time.perf_counter() - began) * 1000)
            if status != 201:
                raise Broken(f"{status}: {text!r}")
            if time.perf_counter() >= deadline:
                return
    finally:
        writer.close()


async def _opened(port: int, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from an address of its own where loopback has many, as callers have; else from the one there is."""
    try:
        return await asyncio.open_connection(
            "127.0.0.1", port, limit=HEAD_BYTES_MAX, local_addr=(f"127.0.0.{number + 2}", 0)
        )
    except OSError:
        return await asyncio.open_connection("127.0.0.1", port, limit=HEAD_BYTES_MAX)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, length, rest = head.partition(b"content-length:")
    if not length:
        raise Broken(f"An answer of unknown length: {head!r}")
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))


if __name__ == "__main__":
    processes.answer(_work)
