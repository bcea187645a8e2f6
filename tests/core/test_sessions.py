"""Sessions of marquee.core.database on a real PostgreSQL, over a wire that counts round trips and can be cut."""

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from marquee.core import database
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller, anonymous
from tests.kit.session_server import doorway, running_server, wait_until
from tests.kit.tcp_proxy import Wire, wire

ANA = Caller(UUID("00000000-0000-4000-8000-00000000000a"), "authenticated")
BEN = Caller(UUID("00000000-0000-4000-8000-00000000000b"), "authenticated")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a PostgreSQL for this module and return its owner's conninfo."""
    with running_server() as conninfo:
        yield conninfo


@pytest.fixture(scope="module")
def door(server: str) -> Iterator[Callable[[], socket.socket]]:
    """Return a function that opens a socket to the server."""
    with doorway(server) as connect:
        yield connect


@pytest.fixture
def owner(server: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Return the owner's connection, which sees only committed rows."""
    with psycopg.connect(server, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("truncate trial.deeds, ops.rate_limits")
        yield connection


@pytest.fixture
def line(door: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Route the test's sessions over a wire, under the API's logins."""
    with wire(door) as the_line:
        monkeypatch.setenv("DATABASE_URL", f"postgresql://:trial@127.0.0.1:{the_line.port}/postgres")
        yield the_line
        database.disconnect()


def deeds(owner: psycopg.Connection[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the committed deeds, each with its caller."""
    rows = owner.execute("select who, what from trial.deeds order by id").fetchall()
    return [(row["who"], row["what"]) for row in rows]


def warm(line: Wire) -> None:
    """Open the connection for people, so that the next round trips are statements only."""
    with database.single(ANA) as session:
        session.value("select 1")
    line.reset()


def test_single_session_takes_one_round_trip_and_one_commit(line, owner):
    warm(line)
    before = owner.execute("select pg_current_xact_id()::text::bigint as id").fetchone()["id"]

    with database.single(ANA) as session:
        assert session.value("select trial.deed(%s)", ["sing"]) > 0

    after = owner.execute("select pg_current_xact_id()::text::bigint as id").fetchone()["id"]
    assert (line.round_trips, session.round_trips, session.statements) == (1, 1, 1)
    assert after - before == 2  # the session's transaction, and that of this query
    assert deeds(owner) == [(str(ANA.id), "sing")]


def test_rate_limited_session_takes_one_round_trip(line, owner):
    warm(line)

    with database.single(ANA, limit=database.Limit("book", "192.0.2.1")) as session:
        session.value("select trial.deed('sing')")

    assert line.round_trips == 1
    buckets = owner.execute("select subject from ops.rate_limits order by subject").fetchall()
    assert [row["subject"] for row in buckets] == ["address:192.0.2.1", f"caller:{ANA.id}"]


def test_single_session_refuses_a_second_statement(line, owner):
    with pytest.raises(RuntimeError), database.single(ANA) as session:
        session.value("select trial.deed('first')")
        session.value("select trial.deed('second')")

    assert deeds(owner) == [(str(ANA.id), "first")]


def test_transaction_sends_begin_with_the_first_statement_and_commits_once(line, owner):
    warm(line)

    with database.transaction(ANA) as session:
        session.value("select trial.deed('sing')")
        session.value("select trial.deed('dance')")
        assert deeds(owner) == []

    assert (line.round_trips, session.round_trips) == (3, 3)
    assert deeds(owner) == [(str(ANA.id), "sing"), (str(ANA.id), "dance")]


def test_transaction_is_rolled_back_by_any_exception(line, owner):
    with pytest.raises(KeyError), database.transaction(ANA) as session:
        session.value("select trial.deed('sing')")
        raise KeyError

    assert deeds(owner) == []
    with database.single(BEN) as session:
        assert session.value("select ops.caller_id()") == BEN.id


def test_transaction_with_a_suppressed_error_raises_instead_of_committing(line, owner):
    with pytest.raises(RuntimeError), database.transaction(ANA) as session:
        session.value("select trial.deed('sing')")
        with contextlib.suppress(psycopg.Error):
            session.value("select 1 / 0")

    assert deeds(owner) == []


def test_claims_are_set_by_the_next_statement_after_one_that_was_not_sent(line):
    with database.transaction(ANA) as session:
        with pytest.raises(psycopg.ProgrammingError):
            session.value("select %s", [])

        assert session.value("select ops.caller_id()") == ANA.id
        assert session.value("select current_user::text") == "authenticated"


@pytest.mark.parametrize("open_session", [database.single, database.transaction])
def test_role_and_claims_end_with_the_session(line, open_session):
    caller = Caller(ANA.id, "authenticated", org_id=uuid4(), claims={"email": "ana@example.org"})
    seen = "select current_user::text as role, ops.claims() as claims"

    with open_session(caller) as session:
        assert session.one(seen) == {
            "role": "authenticated",
            "claims": {
                "sub": str(ANA.id),
                "role": "authenticated",
                "org_id": str(caller.org_id),
                "email": "ana@example.org",
            },
        }
    with open_session(anonymous()) as session:
        assert session.one(seen) == {"role": "anon", "claims": None}

    for login in ("marquee_people", "marquee_public"):
        left = database._slot.opened[login].connection.execute(
            seen.replace("ops.claims()", "current_setting('request.jwt.claims', true)")
        )
        assert left.fetchone() == {"role": login, "claims": ""}
    assert line.connections == 2


def test_caller_with_a_forbidden_role_is_refused(line):
    with pytest.raises(Refused) as refusal, database.single(Caller(ANA.id, "postgres")) as session:
        session.value("select 1")

    assert (refusal.value.status, refusal.value.code) == (401, "unauthenticated")


def test_pt_sqlstate_becomes_a_refusal_with_its_members(line):
    detail = json.dumps({"detail": "3 seats are left.", "left": 3, "status": "full"})

    with pytest.raises(Refused) as refusal, database.single(ANA) as session:
        session.value("select trial.refuse('sold_out', %s)", [detail])

    error = refusal.value
    assert (error.status, error.code, error.detail) == (409, "sold_out", "3 seats are left.")
    assert error.extensions == {"left": 3, "status": "full"}


def test_refusal_detail_may_be_a_plain_sentence(line):
    with pytest.raises(Refused) as refusal, database.transaction(ANA) as session:
        session.value("select trial.refuse('sold_out', 'Come again.')")

    assert (refusal.value.detail, refusal.value.extensions) == ("Come again.", {})


def test_database_fault_is_raised_unchanged(line):
    with pytest.raises(psycopg.errors.UndefinedTable), database.single(ANA) as session:
        session.value("select * from trial.nowhere")


def test_refused_attempts_count_against_the_rate_limit(line, owner):
    limit = database.Limit("book", "192.0.2.1")
    codes = []
    for _ in range(7):
        with pytest.raises(Refused) as refusal, database.single(ANA, limit=limit) as session:
            session.value("select trial.refuse('sold_out', '')")
        codes.append(refusal.value.code)

    assert codes == ["sold_out"] * 5 + ["rate_limited"] * 2
    assert refusal.value.status == 429
    assert 0 < refusal.value.extensions["retry_after_seconds"] <= 12


def test_failing_rate_limiter_allows_the_request_and_warns(line, owner, monkeypatch):
    heard: list[str] = []
    monkeypatch.setattr(database, "warning_listeners", [heard.append])
    owner.execute("alter table ops.rate_limits rename to rate_limits_gone")
    try:
        with database.single(ANA, limit=database.Limit("book")) as session:
            session.value("select trial.deed('sing')")
    finally:
        owner.execute("alter table ops.rate_limits_gone rename to rate_limits")

    assert deeds(owner) == [(str(ANA.id), "sing")]
    assert heard == ["rate_limiter_failed"]


def test_values_keep_their_python_types_in_both_directions(line):
    moment = datetime(2030, 3, 31, 1, 30, 0, 123456, tzinfo=UTC)
    sent = {
        "id": ANA.id, "at": moment, "tree": {"a": [1, None, "%s"]}, "ids": [ANA.id, BEN.id], "price": Decimal("12.50"),
        "words": ["it's", 'a "quote"', "back\\slash"], "yes": True, "nothing": None,
    }  # fmt: skip

    with database.single(ANA) as session:
        got = session.one(
            "select %(id)s as id, %(at)s as at, %(tree)s as tree, %(ids)s as ids, %(price)s as price,"
            " %(words)s::text[] as words, %(yes)s as yes, %(nothing)s as nothing, 'glad'::trial.mood as mood,"
            " array['glad', 'sad']::trial.mood[]::text[] as moods, '{}'::uuid[] as none",
            sent,
        )

    assert got == {**sent, "mood": "glad", "moods": ["glad", "sad"], "none": []}
    assert got["at"].utcoffset().total_seconds() == 0


def test_text_value_is_never_run_as_sql(line, owner):
    text = "'); delete from trial.deeds; -- \\' %s %(x)s"

    with database.single(ANA) as session:
        session.value("select trial.deed(%s)", [text])

    assert deeds(owner) == [(str(ANA.id), text)]


def test_query_for_one_row_refuses_two_rows(line):
    with database.transaction(ANA) as session:
        assert session.one("select 1 as x where false") is None
        assert session.value("select 1 where false") is None
        assert session.all("select generate_series(1, 2) as n") == [{"n": 1}, {"n": 2}]
        with pytest.raises(ValueError, match="2 rows"):
            session.one("select generate_series(1, 2)")


@pytest.mark.parametrize("open_session", [database.single, database.transaction])
def test_closed_session_runs_no_statement(line, owner, open_session):
    with open_session(ANA) as session:
        pass

    with pytest.raises(RuntimeError, match="over"):
        session.value("select trial.deed('sing')")
    assert deeds(owner) == []


def test_sessions_do_not_nest(line):
    with database.transaction(ANA) as session:
        session.value("select 1")
        with pytest.raises(RuntimeError), database.single(BEN):
            pass


def test_closed_connection_is_reopened_without_an_error(line, owner):
    warm(line)
    line.cut()
    wait_until(lambda: bool(select.select([database._slot.opened["marquee_people"].connection.fileno()], [], [], 0)[0]))

    with database.single(ANA) as session:
        session.value("select trial.deed('sing')")

    assert line.connections == 1
    assert deeds(owner) == [(str(ANA.id), "sing")]


@pytest.mark.parametrize(("after_answer", "done"), [(True, 1), (False, 0)])
def test_lost_response_raises_unavailable_with_the_outcome_unknown(line, owner, after_answer, done):
    warm(line)
    line.cut_when, line.cut_after_answer = (lambda sent: b"trial.deed" in sent), after_answer

    with pytest.raises(Unavailable, match="same Idempotency-Key"), database.single(ANA) as session:
        session.value("select trial.deed('sing')")

    assert len(deeds(owner)) == done
    with database.single(BEN) as session:
        assert session.value("select ops.caller_id()") == BEN.id


@pytest.mark.parametrize(("after_answer", "done"), [(True, 1), (False, 0)])
def test_lost_response_to_a_commit_raises_unavailable(line, owner, after_answer, done):
    warm(line)
    line.cut_when, line.cut_after_answer = (lambda sent: b"commit" in sent), after_answer

    with pytest.raises(Unavailable, match="same Idempotency-Key"), database.transaction(ANA) as session:
        session.value("select trial.deed('sing')")

    assert len(deeds(owner)) == done


def test_refusal_is_raised_even_if_the_connection_then_breaks(line):
    with pytest.raises(Refused), database.transaction(ANA) as session:
        session.value("select 1")
        line.cut()
        raise Refused(409, "sold_out")

    with database.single(ANA) as session:
        assert session.value("select 1") == 1


def test_lock_timeout_raises_unavailable_and_changes_nothing(line, owner):
    with owner.transaction():
        owner.execute("lock table trial.deeds")
        with pytest.raises(Unavailable), database.transaction(ANA) as session:
            session.value("select set_config('lock_timeout', '50ms', true)")
            session.value("select trial.deed('sing')")

    assert deeds(owner) == []


def test_unreachable_database_raises_unavailable(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{port}/postgres")

    with pytest.raises(Unavailable), database.single(ANA) as session:
        session.value("select 1")


def test_each_thread_has_its_own_connection(line):
    def ask(number: int) -> int:
        try:
            with database.transaction(ANA) as session:
                session.value("select pg_sleep(0.05)")
                return session.value("select %s", [number])
        finally:
            database.disconnect()

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(ask, range(24))) == list(range(24))
