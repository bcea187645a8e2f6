"""Test the privileges in the database's catalog, so that the rules also apply to new tables and routines."""

import psycopg
import pytest

from marquee.core.settings import LOGINS
from tests.kit import routines, stages

SCHEMAS = (
    "('ref', 'users', 'organizations', 'events', 'messaging', 'ops', 'payments', 'public', 'rating', 'rating_archive',"
    " 'staging')"
)
CALLERS = ("anon", "authenticated")


def names(db, query: str) -> list[str]:
    return [row["name"] for row in db.execute(query.replace("SCHEMAS", SCHEMAS)).fetchall()]


def test_every_table_and_partition_has_row_security(rolled_back):
    without = names(
        rolled_back,
        "select c.oid::regclass::text as name from pg_class as c where c.relkind in ('r', 'p') "
        "and c.relnamespace::regnamespace::text in SCHEMAS and not c.relrowsecurity order by 1",
    )

    assert without == []


@pytest.mark.parametrize("role", CALLERS)
def test_callers_cannot_write_any_table(rolled_back, role):
    writable = names(
        rolled_back,
        "select c.oid::regclass::text as name from pg_class as c where c.relkind in ('r', 'p', 'v', 'm') "
        "and c.relnamespace::regnamespace::text in SCHEMAS "
        f"and has_table_privilege('{role}', c.oid, 'insert, update, delete, truncate') order by 1",
    )

    assert writable == []


def test_service_cannot_write_any_table_directly(rolled_back):
    writable = names(
        rolled_back,
        "select c.oid::regclass::text as name from pg_class as c where c.relkind in ('r', 'p', 'v', 'm') "
        "and c.relnamespace::regnamespace::text in SCHEMAS "
        "and has_table_privilege('service_role', c.oid, 'insert, update, delete, truncate') order by 1",
    )

    assert writable == []


def test_service_cannot_write_counters_and_states(rolled_back):
    tables = ("inventory", "terms", "bookings", "holds", "waitlist_entries", "occurrences")

    for table in tables:
        query = f"select has_table_privilege('service_role', 'events.{table}', 'insert, update, delete') as may"
        assert rolled_back.execute(query).fetchone() == {"may": False}, table


def test_definer_routines_pin_their_search_path(rolled_back):
    loose = names(
        rolled_back,
        "select p.oid::regprocedure::text as name from pg_proc as p "
        "where p.pronamespace::regnamespace::text in SCHEMAS and p.prosecdef "
        "and not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp'] order by 1",
    )

    assert loose == []


def test_no_routine_is_executable_by_public(rolled_back):
    loose = names(
        rolled_back,
        "select p.oid::regprocedure::text as name from pg_proc as p "
        "where p.pronamespace::regnamespace::text in SCHEMAS "
        "and (p.proacl is null or exists (select from aclexplode(p.proacl) as a where a.grantee = 0)) "
        "and p.prorettype <> 'trigger'::regtype order by 1",
    )

    assert loose == []


@pytest.mark.parametrize("login", LOGINS.values())
def test_login_owns_nothing_and_has_no_privileged_attributes(rolled_back, login):
    role = rolled_back.execute(
        "select rolsuper, rolbypassrls, rolinherit, rolcreaterole, rolcreatedb from pg_roles where rolname = %s",
        [login],
    ).fetchone()
    owned = names(rolled_back, f"select relname as name from pg_class where relowner = '{login}'::regrole")

    assert set(role.values()) == {False}
    assert owned == []


@pytest.mark.parametrize("login", LOGINS.values())
def test_login_sees_nothing_before_it_takes_a_role(db, connect, login):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(login).execute("select from users.profiles")


def test_customer_sees_only_their_own_rows(db):
    stage = stages.create(db)
    ana, ben = stage.customers(2)
    event_id = stage.event()
    for who in (ana, ben):
        routines.book(db, event_id, who)
    tables = {
        "events.bookings": 1,
        "users.profiles": 1,
        "events.holds": 0,
        "public.outbox": None,
        "ops.idempotency_keys": None,
    }

    for table, seen in tables.items():
        query = f"select count(*)::int from {table}"
        if seen is None:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                routines.call(db, ana, query)
        else:
            assert routines.call(db, ana, query) == seen, table


def test_other_organization_sees_no_bookings_drafts_and_private_events(db):
    stage, other = stages.create(db), stages.create(db)
    routines.book(db, stage.event(), stage.customer())
    stage.event(status="draft")
    stage.event(visibility="private")

    assert routines.call(db, other.owner, "select count(*)::int from events.bookings") == 0
    assert routines.call(db, other.owner, "select count(*)::int from events.events") == 1
    assert routines.call(db, stage.owner, "select count(*)::int from events.bookings") == 1
    assert routines.call(db, stage.owner, "select count(*)::int from events.events") == 3


def test_private_event_is_visible_to_a_customer_with_a_booking(db):
    stage = stages.create(db)
    event_id, customer = stage.event(visibility="private"), stage.customer()
    query = "select events.book(event_id => %s, customer_id => %s)"
    routines.call(db, stage.owner, query, [event_id, customer])

    assert routines.call(db, customer, "select count(*)::int from events.booking_details") == 1
