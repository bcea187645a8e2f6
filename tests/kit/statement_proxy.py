"""Proxy a connection to PostgreSQL, and kill, hold or disconnect its process at a chosen statement.

The proxy knows enough of PostgreSQL's protocol to count statements and to find the end of each response. It can
therefore stop a process between any two statements.
"""

import contextlib
import os
import signal
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

When = Literal["before", "during", "after"]
"""The moment of a fault: before PostgreSQL receives the statement, just after it was sent, or after its response."""

HEAD = 5
STATEMENTS = (b"Q", b"P")
READY = b"Z"


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault at a statement, counted from 1.

    The process is killed, or held until it is released, or the connection is cut and the process lives.
    """

    number: int
    when: When
    deed: Literal["kill", "hold", "cut"] = "kill"


class StatementProxy:
    """Listens on loopback, forwards messages and carries out the fault. `statements` are the forwarded statements."""

    def __init__(self, port: int, fault: Fault | None = None) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.statements: list[str] = []
        self.carried_out = threading.Event()
        self.let_go = threading.Event()
        self._fault = fault
        self._victim: int | None = None
        self._known = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._listener, *self._sockets)
        for thread in self._threads:
            thread.join(5)

    def aim(self, process_id: int) -> None:
        """Set the process to kill. Nothing is forwarded before."""
        self._victim = process_id
        self._known.set()

    def _start(self, run, *arguments) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                self._start(self._ask, client, server)
                self._start(self._answer, server, client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        """Forward messages from the process to PostgreSQL."""
        with contextlib.suppress(OSError), client.makefile("rb") as messages:
            first = messages.read(4)  # the first message of a connection has no type byte
            server.sendall(first + messages.read(int.from_bytes(first) - 4))
            while len(head := messages.read(HEAD)) == HEAD:
                message = head + messages.read(int.from_bytes(head[1:]) - 4)
                if head[:1] in STATEMENTS:
                    if self._is_due("before", 1):
                        break
                    self.statements.append(message[HEAD:].strip(b"\0").decode())
                server.sendall(message)
                if head[:1] in STATEMENTS and self._is_due("during"):
                    break
        _close(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        """Forward messages from PostgreSQL to the process."""
        with contextlib.suppress(OSError), server.makefile("rb") as messages:
            while len(head := messages.read(HEAD)) == HEAD:
                message = head + messages.read(int.from_bytes(head[1:]) - 4)
                if head[:1] == READY and self._is_due("after"):
                    break
                client.sendall(message)
        _close(client, server)

    def _is_due(self, when: When, ahead: int = 0) -> bool:
        """Carry out the fault if it is due, and return whether the connection ends with it."""
        assert self._known.wait(30)
        fault = self._fault
        if fault is None or (fault.number, fault.when) != (len(self.statements) + ahead, when):
            return False
        if self.carried_out.is_set():
            return False
        if fault.deed == "kill" and self._victim is not None:
            os.kill(self._victim, signal.SIGKILL)
        self.carried_out.set()
        if fault.deed == "hold":
            assert self.let_go.wait(120)
        return fault.deed != "hold"


def _close(*sockets: socket.socket) -> None:
    for end in sockets:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
