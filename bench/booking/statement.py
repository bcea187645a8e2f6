"""What a booking sends: tapped from the wire between the handler and PostgreSQL, not written down a second time."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from bench import stage
from bench.booking import worker
from bench.runs import Broken
from tests.kit.tcp_proxy import Wire, wire

WARM_UP = 5
LIMITER = re.compile(r"select ops\.take_tokens\([^;]*\); ")


@dataclass(slots=True)
class Tap:
    """A wire to a database, the URL that leads through it, and what clients sent over it."""

    url: str
    line: Wire
    heard: list[bytes] = field(default_factory=list)

    def strings(self) -> list[str]:
        """The strings that came as simple queries."""
        return [message[5:-1].decode() for message in self.heard if message.startswith(b"Q")]


@contextmanager
def tapped(url: str) -> Iterator[Tap]:
    """A proxy on loopback in front of the database at this URL that counts and listens."""
    parts = urlsplit(url)
    with wire(lambda: socket.create_connection(("127.0.0.1", parts.port or 5432))) as line:
        login = parts.netloc.rpartition("@")[0]
        tap = Tap(urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{line.port}")), line)

        def listen(data: bytes) -> bool:
            tap.heard.append(data)
            return False

        line.cut_when = listen
        yield tap


def sent(database: stage.Database, customer: int) -> str:
    """The string that the handler sends for a booking of one seat at event 0 by the customer of this number."""
    with tapped(database.api) as tap:
        worker.booked(tap.url, bookings=1, first=customer, events=1)
    strings = tap.strings()
    if len(strings) != 1:
        raise Broken(f"A booking was to be one string; the handler sent {len(strings)}: {strings}")
    return strings[0]


def script(string: str, customer: int) -> str:
    """A pgbench script of a string that `sent` answered: variables `customer` and `event` stand for its ids.

    Leaves out the limiter: the rows that use it measure the booking routine. Raises Broken if the string is not what
    it is taken for.
    """
    body = LIMITER.sub("", string)
    replaced = [
        (rf"\"{stage.customer(customer)}\"", f'"{stage.CUSTOMER}:customer"'),
        (rf"'{stage.event(0).hex}'", f"'{stage.EVENT}:event'"),
        (r"(idempotency_key => )'[^']+'", r"\1':customer-:event'"),
    ]
    for found, place in replaced:
        body, times = re.subn(found, place, body)
        if times != 1:
            raise Broken(f"The booking has another form than its benchmark knows:\n{string}")
    return " \\; ".join(" ".join(part.split()) for part in statements(body)) + ";\n"


def statements(string: str) -> list[str]:
    """The statements that went in one string; none of a booking's values has a semicolon in it."""
    return [part.strip() for part in string.split(";") if part.strip()]
