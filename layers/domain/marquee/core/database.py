"""Sessions with PostgreSQL: one connection per login and execution environment, with claims in every transaction.

A request is one round trip and one commit:

    with database.single(caller, limit=Limit("book", address)) as session:
        booking = session.one("select * from events.book(event_id => %s, seats => %s)", [event_id, seats])

A transaction of several statements:

    with database.transaction(database.service()) as session:  # also with limit=…
        expired = session.value("select events.expire_holds(most => %(most)s)", {"most": 100})
        offered = session.value("select events.promote_waitlists(most => %s)", [100])

Rows are dicts. Values of uuid, timestamptz (aware), jsonb, numeric (Decimal) and arrays of built-in types become
Python's own, enums become str. A dict as a parameter is sent as jsonb, a list as an array. Cast arrays of enums to
text[].

The caller's role decides which login connects (settings.LOGINS); its connection is opened on first use.

Statements are sent as text by the simple protocol, with the values bound by the client. So claims, limit and statement
travel together, and nothing outlives a transaction behind RDS Proxy or PgBouncer.
"""

import contextlib
import json
import logging
import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper

from marquee.core import identity, settings
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.core.settings import LOGINS, Login

_log = logging.getLogger(__name__)

CONNECT_SECONDS_MAX = 5
SILENCE_MILLISECONDS_MAX = 20_000

Parameters = Sequence[Any] | Mapping[str, Any]
_Statement = tuple[str, Parameters | None]

REFUSED_BY = {"bookings_event_id_fkey": (404, "event_not_found"), "never_double_booked": (409, "double_booked")}
"""Constraints that fail only in a race, with the caller's refusal: an event was deleted while it was being booked.

To check first, under a lock, would make every booking slower.
"""

warning_listeners: list[Callable[[str], None]] = []
"""Called with the code of each warning that a routine raises, such as rate_limiter_failed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The operation whose rate-limit tokens are taken first: the caller's, and those of a known source address."""

    operation: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """An entry in the access log, made by the same statement: the people whose personal data it returns.

    `of_answer` is for a routine that returns one JSON object, which the query names `answer`.

    `person` and `organization` are SQL over a row `r` of the result: the person in it, and the organization of that
    customer. Without a person, the rows concern people and name none. `most` is the number of rows that are shown.
    """

    operation: str
    person: str | None = "r.customer_id"
    organization: str = "r.organization_id"
    most: int | None = None

    @classmethod
    def of_answer(cls, operation: str, organization: str = "(r.answer ->> 'organization_id')::uuid") -> "Access":
        """Return the entry for a routine's answer about the customer that it names."""
        return cls(operation, person="r.answer ->> 'customer_id'", organization=organization)


def service() -> Caller:
    """Return the caller of schedules and queues."""
    return identity.service()


class Session:
    """Statements in one transaction, as one caller. `single` and `transaction` create it."""

    def __init__(
        self, connection: psycopg.Connection[DictRow], prelude: list[_Statement], *, statements_max: int | None
    ) -> None:
        self._connection = connection
        self._prelude = prelude
        self._statements_max = statements_max
        self._over = False
        self.statements = 0
        self.round_trips = 0

    def one(self, query: str, params: Parameters | None = None, *, access: Access | None = None) -> DictRow | None:
        """Return the only row, or None. Raises ValueError if there are more."""
        rows = self.all(query, params, access=access)
        if len(rows) > 1:
            raise ValueError(f"{len(rows)} rows came where one was expected.")
        return rows[0] if rows else None

    def value(self, query: str, params: Parameters | None = None, *, access: Access | None = None) -> Any:
        """Return the first column of the only row, or None."""
        row = self.one(query, params, access=access)
        return None if row is None else next(iter(row.values()))

    def all(self, query: str, params: Parameters | None = None, *, access: Access | None = None) -> list[DictRow]:
        """Return all rows; none for a statement without a result. Refuses with the PTnnn of the routine.

        With `access`, the statement also records whose data it returns; without that record it returns nothing.
        """
        if self._over:
            raise RuntimeError("This session is over.")
        if self._statements_max is not None and self.statements >= self._statements_max:
            raise RuntimeError("A single() session runs one statement; use transaction() for several.")
        self.statements += 1
        statements: list[_Statement] = [*self._prelude, (query if access is None else _recorded(query, access), params)]
        with psycopg.ClientCursor(self._connection) as cursor:
            bound = [text if values is None else cursor.mogrify(text, values) for text, values in statements]
            self._prelude = []
            self.round_trips += 1
            cursor.execute("; ".join(bound))
            while cursor.nextset():
                pass
            return [] if cursor.rownumber is None else cursor.fetchall()

    def finish(self, command: str) -> None:
        """End the transaction with `commit` or `rollback`, if a statement started one, and close the session."""
        self._over = True
        if self._connection.pgconn.transaction_status != TransactionStatus.IDLE:
            self.round_trips += 1
            self._connection.execute(command)


@contextlib.contextmanager
def single(caller: Caller, *, limit: Limit | None = None) -> Iterator[Session]:
    """Open a session for exactly one statement: one round trip, one commit.

    Refuses with the statement's PTnnn, and with 429 rate_limited and retry_after_seconds if a limit is given. A refusal
    rolls the statement back together with its tokens; they are taken again by a separate call, so that refused attempts
    count too. Raises Unavailable if the database is not reachable, or the connection was lost before the response.
    """
    with _charging_refusals(caller, limit), _leased(caller) as connection:
        session = Session(connection, _act_as(caller, limit), statements_max=1)
        yield session
        session.finish("rollback")  # sends nothing: the statement was a transaction by itself


@contextlib.contextmanager
def transaction(caller: Caller, *, limit: Limit | None = None) -> Iterator[Session]:
    """Open a session for several statements, committed together at the end, rolled back by any exception.

    The first statement carries `begin` and takes the limit's tokens; n statements are n + 1 round trips. It raises and
    counts refused attempts like `single`.
    """
    with _charging_refusals(caller, limit), _leased(caller) as connection:
        session = Session(connection, [("begin", None), *_act_as(caller, limit)], statements_max=None)
        try:
            yield session
        except BaseException:
            with contextlib.suppress(psycopg.OperationalError):  # a lost connection rolls back by itself
                session.finish("rollback")
            raise
        if connection.pgconn.transaction_status == TransactionStatus.INERROR:
            session.finish("rollback")
            raise RuntimeError("A statement of this transaction failed and its error was swallowed.")
        session.finish("commit")


@contextlib.contextmanager
def preview(caller: Caller, *, limit: Limit | None = None) -> Iterator[Session]:
    """Open a session whose transaction is rolled back at its end, before the caller gets the response.

    previews.effects counts what it did. It raises and takes tokens like `transaction`: the roll-back returns the
    tokens, so they are taken again by a separate call.
    """
    with _charging_refusals(caller, limit), _leased(caller) as connection:
        prelude = [("begin", None), *_act_as(caller, limit), ("select ops.begin_preview()", None)]
        session = Session(connection, prelude, statements_max=None)
        try:
            yield session
        except BaseException:
            with contextlib.suppress(psycopg.OperationalError):  # a lost connection rolls back by itself
                session.finish("rollback")
            raise
        session.finish("rollback")
    if limit is not None:
        take_tokens(caller, limit)


def take_tokens(caller: Caller, limit: Limit) -> None:
    """Take a limit's tokens for work outside the database, such as sending a message to a queue.

    Refuses 429 rate_limited. If the database cannot be reached, the request is admitted: the limiter never stops one.
    """
    try:
        with single(caller) as session:
            session.value("select ops.take_tokens(%s, %s)", [limit.operation, limit.address])
    except Unavailable:
        for listener in warning_listeners:
            listener("rate_limiter_failed")


def disconnect() -> None:
    """Close this thread's connections, if there are any; the next session opens another."""
    while _slot.opened:
        _, opened = _slot.opened.popitem()
        opened.connection.close()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection, with the DATABASE_URL and the process that opened it."""

    connection: psycopg.Connection[DictRow]
    url: str | None
    process_id: int


class _Slot(threading.local):
    """The connections of an execution environment (in a test with several threads, of a thread)."""

    def __init__(self) -> None:
        self.opened: dict[Login, _Opened] = {}
        self.leased = False


_slot = _Slot()


@contextlib.contextmanager
def _leased(caller: Caller) -> Iterator[psycopg.Connection[DictRow]]:
    """Lease the connection to one session at a time. Errors of the database are translated only here."""
    if _slot.leased:
        raise RuntimeError("Sessions do not nest: finish this one first.")
    login = LOGINS.get(caller.role, "marquee_public")  # an unknown role is refused by ops.act_as
    connection = _connection(login)
    _slot.leased = True
    try:
        yield connection
    except psycopg.Error as error:
        raise _translated(error, connection, caller) from error
    finally:
        _slot.leased = False
        if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            _close(login)


def _translated(error: psycopg.Error, connection: psycopg.Connection[DictRow], caller: Caller) -> Exception:
    """Translate an error of the database for the caller; a fault is returned unchanged."""
    if error.diag.constraint_name in REFUSED_BY or str(error.sqlstate).startswith("PT"):
        return _refusal(error)
    if isinstance(error, psycopg.errors.InsufficientPrivilege) and caller.role == "anon":
        return Refused(401, "unauthenticated", "A token is required. Sign in first.")
    if connection.closed:
        return Unavailable(
            "The connection was lost before the response, so the outcome is unknown."
            " Send the request again with the same Idempotency-Key."
        )
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        disconnect()  # a former writer after a fail-over
        return Unavailable("The database is failing over. Nothing was done. Send the request again.")
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("The database is busy. Nothing was done. Send the request again.")
    return error


def _refusal(error: psycopg.Error) -> Refused:
    if error.diag.constraint_name in REFUSED_BY:
        return Refused(*REFUSED_BY[error.diag.constraint_name])
    status, code, text = int(str(error.sqlstate)[2:]), str(error.diag.message_primary), error.diag.message_detail
    try:
        detail = json.loads(text) if text else {}
    except ValueError:
        detail = text
    if not isinstance(detail, dict):
        return Refused(status, code, str(text))
    sentence = detail.pop("detail", None)
    return Refused(status, code, None if sentence is None else str(sentence), **detail)


def _act_as(caller: Caller, limit: Limit | None) -> list[_Statement]:
    """Return the statements before a session's first one, in the same round trip."""
    statements: list[_Statement] = [("select ops.act_as(%s)", [caller.database_claims()])]
    if limit is not None:
        statements.append(("select ops.take_tokens(%s, %s)", [limit.operation, limit.address]))
    return statements


@contextlib.contextmanager
def _charging_refusals(caller: Caller, limit: Limit | None) -> Iterator[None]:
    """Take the tokens of a refused attempt again, because the refusal rolled them back."""
    try:
        yield
    except Refused as refusal:
        if limit is not None and refusal.status != 429:
            with contextlib.suppress(Refused):  # the first refusal is returned
                take_tokens(caller, limit)
        raise


def _recorded(query: str, access: Access) -> str:
    """Return the query with its rows recorded in the access log. All SQL text is the domain's, never a caller's.

    Both parts are materialized: the query runs once, in its order, and its rows are returned only with the record.
    """
    person = "null" if access.person is None else access.person
    shown = "answer" if access.most is None else f"(select * from answer limit {access.most:d})"  # noqa: S608 - as below
    return f"""
        with answer as materialized ({query}),
        recorded as materialized (
            select ops.record_access(
                operation => '{access.operation}',
                read => (
                    select jsonb_agg(to_jsonb(g))
                    from (
                        select {access.organization} as organization_id, ({person})::text as person, count(*) as rows
                        from {shown} as r
                        {"" if access.person is None else f"where ({person}) is not null"}
                        group by 1, 2
                    ) as g
                )
            )
        )
        select r.* from answer as r cross join recorded
    """  # noqa: S608 - as the docstring says


def _connection(login: Login) -> psycopg.Connection[DictRow]:
    """Return this thread's open connection of a login, or a new one if there is none or it is stale."""
    url = settings.database_url()
    opened = _slot.opened.get(login)
    if opened is not None:
        if opened.process_id != os.getpid():
            _slot.opened.clear()  # the parent's, after a fork: not ours to close
        elif opened.url == url and not _is_stale(opened.connection):
            return opened.connection
        else:
            _close(login)
    connection = _connect(login)
    _slot.opened[login] = _Opened(connection, url, os.getpid())
    return connection


def _close(login: Login) -> None:
    opened = _slot.opened.pop(login, None)
    if opened is not None:
        opened.connection.close()


def _is_stale(connection: psycopg.Connection[DictRow]) -> bool:
    """Return whether the server closed the connection; it only reads the socket, without a round trip."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        with contextlib.suppress(psycopg.OperationalError):
            connection.pgconn.consume_input()
    return connection.closed


def _connect(login: Login) -> psycopg.Connection[DictRow]:
    """Open a connection. A first failure may come from a rotated secret, so a changed one is tried at once."""
    conninfo = settings.database_conninfo(login)
    try:
        return _open(conninfo)
    except psycopg.OperationalError as error:
        renewed = settings.database_conninfo(login, renewed=True)
        if renewed == conninfo:
            raise _unreachable(error) from error
    try:
        return _open(renewed)
    except psycopg.OperationalError as error:
        raise _unreachable(error) from error


def _unreachable(error: psycopg.OperationalError) -> Unavailable:
    """Log the reason, such as an untrusted certificate; the caller is only asked to try again."""
    _log.error("database_unreachable: %s", str(error).strip())
    return Unavailable("The database cannot be reached. Nothing was done. Send the request again.")


def _open(conninfo: str) -> psycopg.Connection[DictRow]:
    connection = psycopg.connect(
        conninfo,
        autocommit=True,
        prepare_threshold=None,
        row_factory=dict_row,
        connect_timeout=CONNECT_SECONDS_MAX,
        application_name=settings.current().aws_lambda_function_name,
        keepalives_idle=30,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=SILENCE_MILLISECONDS_MAX,
    )
    connection.adapters.register_dumper(dict, JsonbDumper)
    connection.add_notice_handler(_report_warning)
    return connection


def _report_warning(notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate is not None and notice.sqlstate.startswith("PT"):
        for listener in warning_listeners:
            listener(str(notice.message_primary))
