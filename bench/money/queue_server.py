"""A queue that uses almost no processor time: it accepts messages by the protocol of SQS and counts them.

The queue of moto scans all waiting messages on each arrival, so it would dominate the measurement. This one prints its
port, and then serves until it is stopped. GET returns the number of messages.
"""

import asyncio
import json
from typing import Any


class Connection(asyncio.Protocol):
    """A connection that stays open. Requests arrive one after the other."""

    messages = 0

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for responses."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond once a request is complete."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head) or self._transport is None:
            return
        self._received = b""
        response = {"messages": Connection.messages} if head.startswith(b"GET") else _accept(json.loads(body))
        content = json.dumps(response).encode()
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(content)}\r\n\r\n"
        self._transport.write(start.encode() + content)


def _length(head: bytes) -> int:
    """Return the length of the body."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _accept(call: dict[str, Any]) -> dict[str, Any]:
    """Return the response to SendMessageBatch, which accepts all messages."""
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
