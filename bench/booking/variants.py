"""Compare the cost of a booking between variants of the database.

    python -m bench.booking.variants [--instructions] [--rounds 15] [--bookings 400] [names …]

Each variant is a copy of one database, changed by some SQL. One client books in each in turn, as functions do. The
figure is the processor time of the server process in microseconds, which other load affects less than elapsed time
(Linux). `booking` is a free booking of the caller. `refusal` is a booking of an event that does not exist: it is short,
so a fixed cost is visible. The floor is the first variant.

With --instructions the server runs under valgrind's callgrind, and the figure is the instructions of one booking. They
are the same on any machine and under any load.
"""

import argparse
import hashlib
import hmac
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench import databases
from bench.runs import MeasurementFailed
from local.postgres import Server, _as_user, _postgres_user, binary

EVENTS = 50
KEY = hashlib.sha256(b"the key of this benchmark").digest()
HELPERS: LiteralString = """
select p.oid::regprocedure::text
from pg_proc as p
where
    p.pronamespace::regnamespace::text !~ '^pg_|^information_schema$'
    and p.prolang = (select l.oid from pg_language as l where l.lanname = 'plpgsql')
    and not p.prosecdef and p.proconfig::text ~ 'search_path'
"""

ROLE_IGNORED: LiteralString = """
create or replace function ops.claims() returns jsonb language sql stable parallel safe
return nullif(current_setting('request.jwt.claims', true), '')::jsonb;
create or replace function ops.caller_id() returns uuid language sql stable parallel safe
return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
create or replace function ops.caller_is_service() returns boolean language sql stable parallel safe
return coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' = 'service_role', false);
"""
SIGNED: LiteralString = """
create table ops.claim_keys (inner_pad bytea not null, outer_pad bytea not null);
create function ops.verified_claims() returns jsonb language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
    the_claims text := nullif(current_setting('request.jwt.claims', true), '');
    the_keys ops.claim_keys;
begin
    if the_claims is null then
        return null;
    end if;
    select k.* into the_keys from ops.claim_keys as k;
    if encode(sha256(the_keys.outer_pad || sha256(the_keys.inner_pad || convert_to(the_claims, 'utf8'))), 'hex')
        is distinct from current_setting('request.jwt.signature', true)
    then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    return the_claims::jsonb;
end;
$$;
grant execute on function ops.verified_claims() to app_read, app_write;
create or replace function ops.claims() returns jsonb language sql stable parallel safe
return ops.verified_claims();
create or replace function ops.caller_id() returns uuid language sql stable parallel safe
return (ops.verified_claims() ->> 'sub')::uuid;
create or replace function ops.caller_is_service() returns boolean language sql stable parallel safe
return coalesce(ops.verified_claims() ->> 'role' = 'service_role', false);
create function ops.act_as(claims text, signature text) returns void language plpgsql as $$
begin
    perform pg_catalog.set_config('request.jwt.claims', act_as.claims, true);
    perform pg_catalog.set_config('request.jwt.signature', act_as.signature, true);
    perform pg_catalog.set_config('role', act_as.claims::pg_catalog.jsonb ->> 'role', true);
end;
$$;
grant execute on function ops.act_as(text, text) to marquee_people;
"""
WRITTEN: LiteralString = """
create unlogged table ops.callers (pid integer, xid xid8, claims jsonb, primary key (pid, xid));
create function ops.written_claims() returns jsonb language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select c.claims from ops.callers as c where c.pid = pg_backend_pid() and c.xid = pg_current_xact_id_if_assigned()
$$;
grant execute on function ops.written_claims() to app_read, app_write;
create or replace function ops.claims() returns jsonb language sql stable parallel safe
return ops.written_claims();
create or replace function ops.caller_id() returns uuid language sql stable parallel safe
return (ops.written_claims() ->> 'sub')::uuid;
create or replace function ops.caller_is_service() returns boolean language sql stable parallel safe
return coalesce(ops.written_claims() ->> 'role' = 'service_role', false);
create function ops.write_caller(claims jsonb) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    delete from ops.callers as c where c.pid = pg_backend_pid();
    insert into ops.callers (pid, xid, claims) values (pg_backend_pid(), pg_current_xact_id(), write_caller.claims);
end;
$$;
grant execute on function ops.write_caller(jsonb) to marquee_people;
"""

FAST_PATH: LiteralString = "book.seats between 1 and 20\n        and not book.guest"
"""The start of the condition under which events.book takes its fast path."""

Connection = psycopg.Connection[Any]


def _by_claims(claims: str) -> str:
    return f"select ops.act_as('{claims}')"


def _by_signature(claims: str) -> str:
    signature = hmac.new(KEY, claims.encode(), hashlib.sha256).hexdigest()
    return f"select ops.act_as('{claims}', '{signature}')"


def _by_row(claims: str) -> str:
    return f"select ops.write_caller('{claims}'); select ops.act_as('{claims}')"


def _unpin(owner: Connection, *names: str) -> None:
    """Take the search path away from these routines, or from all that run with the rights of their caller."""
    for (name,) in owner.execute(HELPERS).fetchall():
        if not names or name in names:
            owner.execute(f"alter routine {name} reset search_path")


def _sign(owner: Connection) -> None:
    owner.execute(SIGNED)
    block = KEY.ljust(64, b"\0")
    pads = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
    owner.execute("insert into ops.claim_keys values (%s, %s)", pads)


def _write(owner: Connection) -> None:
    owner.execute(WRITTEN)


def _use_the_general_path(owner: Connection) -> None:
    """Let no booking take the fast path of events.book."""
    row = owner.execute("select pg_get_functiondef('events.book'::regproc)").fetchone()
    source = "" if row is None else str(row[0])
    if source.count(FAST_PATH) != 1:
        raise MeasurementFailed("events.book has another condition for its fast path than its benchmark knows.")
    owner.execute(source.replace(FAST_PATH, "false").encode())


def _ignore_the_role(owner: Connection) -> None:
    owner.execute(ROLE_IGNORED)


@dataclass(frozen=True, slots=True)
class Variant:
    """A change to a copy of the database, and the SQL that sets the caller in it."""

    change: Callable[[Connection], None]
    caller: Callable[[str], str] = _by_claims


VARIANTS = {
    "as it is": Variant(lambda owner: None),
    "as it is, again": Variant(lambda owner: None),
    "general path alone": Variant(_use_the_general_path),
    "act_as not pinned": Variant(lambda owner: _unpin(owner, "ops.act_as(jsonb)")),
    "count_booking not pinned": Variant(lambda owner: _unpin(owner, "events.count_booking()")),
    "no helper pinned": Variant(_unpin),
    "role not checked": Variant(_ignore_the_role),
    "signed claims": Variant(_sign, _by_signature),
    "claims in a table": Variant(_write, _by_row),
}


class CountedServer(Server):
    """A server whose processes count their instructions, and write the sum to a file in `counts` when they end."""

    counts: Path

    def _serve(self) -> None:
        command = ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes"]
        command += [f"--callgrind-out-file={self.counts}/%p", str(binary("postgres", self.version))]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-D", str(self.data), *self._options()], stdout=log, stderr=log, **_as_user(_postgres_user())
            )
            self._wait_until_ready(self._process, log.tell())

    def stop(self, mode: str = "fast") -> None:
        """Stop the server by a signal to valgrind, because `pg_ctl` does not recognize that process."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if mode == "immediate" else signal.SIGINT)
            self._process.wait(60)

    def instructions(self, pid: int) -> int:
        """Return the instructions that an ending process has executed."""
        file = self.counts / str(pid)
        deadline = time.monotonic() + 30
        while True:
            found = re.search(r"^totals: (\d+)", file.read_text() if file.exists() else "", re.MULTILINE)
            if found:
                return int(found.group(1))
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"Process {pid} left no count of its instructions in {file}.")
            time.sleep(0.05)


class Client:
    """A connection of the login for people to one variant, and the processor time of its server process."""

    def __init__(self, database: databases.Database, variant: Variant, first: int = 0) -> None:
        self._variant = variant
        self._connection = psycopg.connect(database.people, autocommit=True, prepare_threshold=None)
        self._schedule = Path(f"/proc/{self._connection.info.backend_pid}/schedstat")
        self._next = first

    def close(self) -> int:
        """Close the connection and return the id of the server process, which ends."""
        pid = self._connection.info.backend_pid
        self._connection.close()
        return pid

    def microseconds(self, bookings: int, *, refused: bool = False) -> float:
        """Book `bookings` times, each time as the next customer, and return the mean processor time."""
        texts = [self._text(refused=refused) for _ in range(bookings)]
        before = self._seconds()
        for text in texts:
            if refused:
                try:
                    self._connection.execute(text)
                except psycopg.Error as error:
                    if error.sqlstate != "PT404":
                        raise
            else:
                self._connection.execute(text)
        return (self._seconds() - before) / bookings * 1e6

    def _text(self, *, refused: bool) -> str:
        number, self._next = self._next, self._next + (not refused)
        claims = json.dumps({"sub": str(databases.customer_id(number)), "role": "authenticated"})
        event = databases.customer_id(0) if refused else databases.event_id(number % EVENTS)
        key = f"{'refused' if refused else 'booked'}-{number}"
        book = f"select events.book(event_id => '{event}', idempotency_key => '{key}')"
        return f"{self._variant.caller(claims)}; {book}"

    def _seconds(self) -> float:
        # In nanoseconds, where psutil has hundredths of a second (Linux, proc_pid_schedstat).
        return int(self._schedule.read_text().split()[0]) / 1e9


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.booking.variants", description=__doc__.split("\n")[0])
    parser.add_argument("--instructions", action="store_true", help="count instructions under callgrind")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--bookings", type=int, default=400)
    parser.add_argument(
        "names", nargs="*", help=f"some of: {', '.join(VARIANTS)}. The others are compared with the first."
    )
    options = parser.parse_args()
    names = options.names or list(VARIANTS)
    with tempfile.TemporaryDirectory(prefix="marquee-variants-") as folder:
        Path(folder).chmod(0o711)
        # An automatic analysis would discard cached plans, and planning costs as much as some bookings.
        server = Server(Path(folder) / "postgres", durable=False, settings={"autovacuum": "off"})
        server.start()
        try:
            if options.instructions:
                _count(server, Path(folder) / "counts", names, options.bookings)
            else:
                _print(_measured(databases.Factory(server), names, options.rounds, options.bookings))
        finally:
            server.stop("immediate")


def _count(server: Server, counts: Path, names: list[str], bookings: int) -> None:
    """Print the instructions of one booking and one refusal, as the difference between many and fewer of them."""
    factory = databases.Factory(server)
    varied = [_varied(factory, number, name, customers=5 * bookings) for number, name in enumerate(names)]
    server.stop()
    counts.mkdir()
    counts.chmod(0o777)
    counted = CountedServer(server.data, server.port, durable=False, settings={"autovacuum": "off"})
    counted.counts = counts
    counted.start()
    try:
        for number, name in enumerate(names):
            figures = []
            for refused in (False, True):
                totals = []
                for times, first in ((1, 0), (2, bookings)):
                    client = Client(varied[number], VARIANTS[name], first)
                    client.microseconds(times * bookings, refused=refused)
                    totals.append(counted.instructions(client.close()))
                figures.append((totals[1] - totals[0]) / bookings)
            sys.stdout.write(f"{name:26} booking {figures[0]:10,.0f}   refusal {figures[1]:10,.0f}\n")
    finally:
        counted.stop("immediate")


def _varied(factory: databases.Factory, number: int, name: str, customers: int) -> databases.Database:
    database = factory.create(f"variant_{number}", customers=customers, events=EVENTS)
    with psycopg.connect(database.owner, autocommit=True) as owner:
        VARIANTS[name].change(owner)
    return database


def _measured(factory: databases.Factory, names: list[str], rounds: int, bookings: int) -> dict[str, list[list[float]]]:
    clients = {}
    for number, name in enumerate(names):
        database = _varied(factory, number, name, customers=(rounds + 1) * bookings)
        clients[name] = Client(database, VARIANTS[name])
        clients[name].microseconds(bookings)
    found: dict[str, list[list[float]]] = {name: [[], []] for name in names}
    for number in range(rounds):
        for name in names if number % 2 else reversed(names):
            found[name][0].append(clients[name].microseconds(bookings))
            found[name][1].append(clients[name].microseconds(bookings, refused=True))
    return found


def _print(found: dict[str, list[list[float]]]) -> None:
    """Print medians, and the median and quartiles of the ratios within each round."""
    base = next(iter(found.values()))
    sys.stdout.write(f"{'variant':26} {'booking':>10} {'of the first':>24} {'refusal':>10} {'of the first':>24}\n")
    for name, columns in found.items():
        cells = []
        for column, first in zip(columns, base, strict=True):
            ratios = [each / other for each, other in zip(column, first, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            cells.append(f"{statistics.median(column):7.1f} µs {middle:8.3f} ({low:.3f} to {high:.3f})")
        sys.stdout.write(f"{name:26} {cells[0]:>35} {cells[1]:>35}\n")


if __name__ == "__main__":
    main()
