"""The SQL that the handler sends for a booking, recorded between handler and PostgreSQL instead of copied by hand."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from bench import databases
from bench.booking import booking_worker
from bench.runs import MeasurementFailed
from tests.kit.tcp_proxy import Wire, wire

WARM_UP = 5
LIMITER = re.compile(r"select ops\.take_tokens\([^;]*\); ")


@dataclass(slots=True)
class Tap:
    """A proxy in front of a database: its URL, its counters, and the messages that clients sent."""

    url: str
    line: Wire
    messages: list[bytes] = field(default_factory=list)

    def strings(self) -> list[str]:
        """Return the strings that arrived as simple queries."""
        return [message[5:-1].decode() for message in self.messages if message.startswith(b"Q")]


@contextmanager
def listen(url: str) -> Iterator[Tap]:
    """Start a proxy on loopback in front of the database at this URL. It counts round trips and records messages."""
    parts = urlsplit(url)
    with wire(lambda: socket.create_connection(("127.0.0.1", parts.port or 5432))) as line:
        login = parts.netloc.rpartition("@")[0]
        tap = Tap(urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{line.port}")), line)

        def record(data: bytes) -> bool:
            tap.messages.append(data)
            return False

        line.cut_when = record
        yield tap


def booking_sql(database: databases.Database, customer: int) -> str:
    """Return the string that the handler sends when this customer books one seat at event 0."""
    with listen(database.api) as tap:
        booking_worker.book(tap.url, bookings=1, first=customer, events=1)
    strings = tap.strings()
    if len(strings) != 1:
        raise MeasurementFailed(f"A booking must be one string. The handler sent {len(strings)}: {strings}")
    return strings[0]


def pgbench_script(string: str, customer: int) -> str:
    """Make a pgbench script of a string from `booking_sql`, with the variables `customer` and `event` as ids.

    It leaves out the limiter, because its rows measure the booking routine. Raises MeasurementFailed when the string
    has an unexpected form.
    """
    body = LIMITER.sub("", string)
    replaced = [
        (rf"\"{databases.customer_id(customer)}\"", f'"{databases.CUSTOMER}:customer"'),
        (rf"'{databases.event_id(0).hex}'", f"'{databases.EVENT}:event'"),
        (r"(idempotency_key => )'[^']+'", r"\1':customer-:event'"),
    ]
    for found, place in replaced:
        body, times = re.subn(found, place, body)
        if times != 1:
            raise MeasurementFailed(f"The booking's SQL has another form than the benchmark expects:\n{string}")
    return " \\; ".join(" ".join(part.split()) for part in statements(body)) + ";\n"


def statements(string: str) -> list[str]:
    """Split a string into its statements. No value of a booking contains a semicolon."""
    return [part.strip() for part in string.split(";") if part.strip()]
