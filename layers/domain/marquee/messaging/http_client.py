"""One request to a stranger's server, within bounds.

The name is resolved once, every address is checked, and the connection is made to a checked address itself. So a name
whose addresses change between check and call cannot redirect it. TLS is verified against the name. Redirects are not
followed, and proxies of the environment are not used. The whole call takes at most ten seconds, however slow the server
is. At most 64 KiB of the response are read, and 1 KiB is kept.
"""

import contextlib
import functools
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from marquee.messaging import url_safety
from marquee.messaging.url_safety import Address, Target

SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 64 * 1024
KEPT_BYTES_MAX = 1024
CHUNK_BYTES = 8 * 1024
ADDRESSES_TRIED_MOST = 3


class NotSent(Exception):
    """There was no response; `code` is stable and gives the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's response; `body` is its first part."""

    status_code: int
    retry_after: str | None
    body: str


@dataclass(slots=True)
class _Guard:
    """Ends a connection when the time is up, in any state, because each single read would restart its time-out."""

    until: float
    is_over: bool = False

    @contextlib.contextmanager
    def over(self, connection: socket.socket) -> Iterator[None]:
        """Watch a connection; TLS replaces the socket object, but the connection stays the same."""
        seconds = self.seconds_left()
        watched = connection.dup()

        def end() -> None:
            self.is_over = True
            with contextlib.suppress(OSError):
                watched.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            watched.close()

    def seconds_left(self) -> float:
        """Return the remaining seconds. Raises NotSent if there are none."""
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise NotSent("timed_out")
        return seconds


def post(
    target: Target,
    content: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    seconds_max: float = SECONDS_MAX,
    resolve: url_safety.Resolve = url_safety.resolve,
    trusted: ssl.SSLContext | None = None,
) -> Answer:
    """Send a request and read the first part of the response.

    Raises NotSent: name_not_resolved, address_not_allowed, connection_failed, tls_failed, timed_out, answer_malformed.
    """
    guard = _Guard(time.monotonic() + seconds_max)
    found = _checked(target, resolve, allow_private=allow_private)
    with contextlib.closing(_connected(found[:ADDRESSES_TRIED_MOST], guard)) as plain, guard.over(plain):
        try:
            connection = _secured(plain, target, trusted or _trusted()) if target.is_secure else plain
            with contextlib.closing(connection):
                return _talk(connection, target, content, headers, guard)
        except (TimeoutError, OSError, http.client.HTTPException, ValueError) as error:
            raise NotSent("timed_out" if guard.is_over else _code(error)) from error


def _checked(target: Target, resolve: url_safety.Resolve, *, allow_private: bool) -> list[Address]:
    try:
        found = list(resolve(target.host, target.port))
        if not allow_private:
            url_safety.check(found)
    except url_safety.NotResolved as error:
        raise NotSent("name_not_resolved") from error
    except url_safety.NotAllowed as error:
        raise NotSent("address_not_allowed") from error
    return found


def _connected(found: list[Address], guard: _Guard) -> socket.socket:
    """Return a connection to the first address that accepts one."""
    for address in found:
        seconds = guard.seconds_left()
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        connection.settimeout(seconds)
        try:
            connection.connect(address.place)
        except OSError:
            connection.close()
        else:
            return connection
    guard.seconds_left()
    raise NotSent("connection_failed")


def _secured(plain: socket.socket, target: Target, trusted: ssl.SSLContext) -> ssl.SSLSocket:
    return trusted.wrap_socket(plain, server_hostname=target.host)


def _talk(
    connection: socket.socket, target: Target, content: bytes, headers: Mapping[str, str], guard: _Guard
) -> Answer:
    client = http.client.HTTPConnection(target.host, target.port)
    client.auto_open = 0  # it never connects by itself
    client.sock = connection
    client.request("POST", target.path, content, {"host": target.authority, "connection": "close", **headers})
    with contextlib.closing(client.getresponse()) as response:
        guard.seconds_left()  # truncated headers look complete
        return Answer(response.status, response.getheader("retry-after"), _read_start(response))


def _read_start(response: http.client.HTTPResponse) -> str:
    """Return the first part of the body. Later errors are ignored, because the status was already received."""
    kept, length = b"", 0
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        while length < ANSWER_BYTES_MAX and (chunk := response.read1(CHUNK_BYTES)):
            kept += chunk[: KEPT_BYTES_MAX - len(kept)]
            length += len(chunk)
    return kept.decode(errors="replace").replace("\0", "")


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed_out"
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return "tls_failed"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return "connection_failed"
    return "connection_failed" if isinstance(error, OSError) else "answer_malformed"


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return a context with the system's certificate authorities, which verifies names."""
    return ssl.create_default_context()
