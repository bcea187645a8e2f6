"""A wire between a client and PostgreSQL that can be counted on and cut: a TCP proxy for tests."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CHUNK_BYTES = 65536


@dataclass(slots=True)
class Wire:
    """What went over the wire. A round trip is a turn of the client's that the server answered."""

    port: int
    round_trips: int = 0
    connections: int = 0
    cut_when: Callable[[bytes], bool] | None = None
    cut_after_answer: bool = False
    _sockets: list[socket.socket] = field(default_factory=list)

    def reset(self) -> None:
        """Count from nought again."""
        self.round_trips = self.connections = 0

    def cut(self) -> None:
        """Break every connection now."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire(connect: Callable[[], socket.socket]) -> Iterator[Wire]:
    """A proxy on a free port of 127.0.0.1 in front of what `connect` connects to.

    `cut_when` sees what the client sends and says when to cut: before the server sees it, or, with
    `cut_after_answer`, after the server has done it and before its answer reaches the client.
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
