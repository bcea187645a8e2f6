"""A queue that costs the machine next to nothing, as SQS does: takes messages by SQS's protocol, and counts them.

moto's looks through all that waits whenever something comes, and so would be most of what is measured.
Prints its port, then serves until it is ended. GET answers how many messages came.
"""

import asyncio
import hashlib
import json
import uuid
from typing import Any


class Queue:
    """What came; answers requests over connections that stay open."""

    def __init__(self) -> None:
        self.messages = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it is closed."""
        try:
            while True:
                method, body = await _request(reader)
                answer = self._answer(json.loads(body)) if method == "POST" else {"messages": self.messages}
                content = json.dumps(answer).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(content)}"
                writer.write(head.encode() + b"\r\n\r\n" + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Of SendMessageBatch: everything was taken."""
        self.messages += len(call["Entries"])
        return {"Successful": [_taken(entry) for entry in call["Entries"]], "Failed": []}


def _taken(entry: dict[str, Any]) -> dict[str, str]:
    digest = hashlib.md5(entry["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"Id": entry["Id"], "MessageId": str(uuid.uuid4()), "MD5OfMessageBody": digest}


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Method and body of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
    return head.partition(" ")[0], await reader.readexactly(int(lengths[0]) if lengths else 0)


async def main() -> None:
    """Serve on a free port of loopback."""
    server = await asyncio.start_server(Queue().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
