"""Proxy TCP connections between a client and PostgreSQL, to count round trips and cut connections."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CHUNK_BYTES = 65536


@dataclass(slots=True)
class Wire:
    """The traffic of the proxy. A round trip is a message of the client with a response of the server."""

    port: int
    round_trips: int = 0
    connections: int = 0
    cut_when: Callable[[bytes], bool] | None = None
    cut_after_answer: bool = False
    _sockets: list[socket.socket] = field(default_factory=list)

    def reset(self) -> None:
        """Reset the counters to zero."""
        self.round_trips = self.connections = 0

    def cut(self) -> None:
        """Cut every connection now."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire(connect: Callable[[], socket.socket]) -> Iterator[Wire]:
    """Run a proxy on a free port of 127.0.0.1 in front of the target of `connect`.

    `cut_when` receives the client's bytes and decides when to cut. The cut comes before the server sees them. With
    `cut_after_answer` it comes after the server's work and before its response reaches the client.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    line = Wire(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = connect()
            line.connections += 1
            line._sockets += [client, server]
            threads.append(threading.Thread(target=_carry, args=(line, client, server), daemon=True))
            threads[-1].start()

    threads.append(threading.Thread(target=accept, daemon=True))
    threads[0].start()
    try:
        yield line
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        line.cut()
        for thread in threads:
            thread.join(timeout=5)


def _carry(line: Wire, client: socket.socket, server: socket.socket) -> None:
    turn, doomed = client, False
    with client, server, contextlib.suppress(OSError):
        while True:
            readable, _, _ = select.select([client, server], [], [])
            for end in readable:
                data = end.recv(CHUNK_BYTES)
                if not data:
                    return
                if end is client:
                    if line.cut_when is not None and line.cut_when(data):
                        line.cut_when = None
                        if not line.cut_after_answer:
                            return
                        doomed = True
                    turn = client
                    server.sendall(data)
                elif doomed:
                    return
                else:
                    if turn is client:
                        line.round_trips += 1
                    turn = server
                    client.sendall(data)
