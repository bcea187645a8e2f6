"""A queue that costs the machine next to nothing, as SQS does: takes messages by SQS's protocol, and counts them.

moto's looks through all that waits whenever something comes, and so would be most of what is measured.
Prints its port, then serves until it is ended. GET answers how many messages came.
"""

import asyncio
import json
from typing import Any


class Connection(asyncio.Protocol):
    """A connection that stays open; requests come one after the other."""

    messages = 0

    def __init__(self) -> None:
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request that is complete."""
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head) or self._transport is None:
            return
        self._came = b""
        answer = {"messages": Connection.messages} if head.startswith(b"GET") else _taken(json.loads(body))
        content = json.dumps(answer).encode()
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(content)}\r\n\r\n"
        self._transport.write(start.encode() + content)


def _length(head: bytes) -> int:
    """How long the body is."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _taken(call: dict[str, Any]) -> dict[str, Any]:
    """The answer to SendMessageBatch: all of it was taken."""
    entries = call["Entries"]
    Connection.messages += len(entries)
    return {"Successful": [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in entries], "Failed": []}


async def main() -> None:
    """Serve on a free port of loopback."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
