"""Test the grants on functions, schemas, sequences, views and new objects. Tables have their own tests."""

import pytest

from marquee.core.settings import LOGINS
from tests.kit.walk import catalog, expectations

CALLERS = (*catalog.CALLERS, *LOGINS.values(), "public")


def test_function_grants_match_the_table(rolled_back):
    expected = expectations.read_holders(expectations.FUNCTIONS)

    assert expectations.disagreements(expected, catalog.functions(rolled_back), expectations.FUNCTIONS) == []


def test_schema_and_view_grants_match_the_table(rolled_back):
    expected = expectations.read_holders(expectations.GRANTS)
    found = catalog.schemas(rolled_back) | catalog.views(rolled_back)

    assert expectations.disagreements(expected, found, expectations.GRANTS) == []


def test_new_function_is_reported_with_instructions(rolled_back):
    rolled_back.execute(
        "create function ops.novelty(a integer) returns integer language sql return 1; "
        "grant execute on function ops.novelty(integer) to anon"
    )
    expected = expectations.read_holders(expectations.FUNCTIONS)

    said = expectations.disagreements(expected, catalog.functions(rolled_back), expectations.FUNCTIONS)

    line = expectations.holder_line("ops.novelty(integer)", "anon")
    assert f"functions.txt has no line for: {line}. {expectations.HOW}" in said


def test_added_grant_and_dropped_function_are_reported(rolled_back):
    rolled_back.execute("grant execute on function ops.act_as(jsonb) to anon; drop function ops.begin_job(text)")
    expected = expectations.read_holders(expectations.FUNCTIONS)

    said = expectations.disagreements(expected, catalog.functions(rolled_back), expectations.FUNCTIONS)

    assert "functions.txt has a line for ops.begin_job(text), which nobody may or is not there" in said
    logins = "marquee_public marquee_people marquee_service"
    assert f"ops.act_as(jsonb): anon {logins} may, expected {logins}" in said


def test_function_changed_to_security_definer_is_reported(rolled_back):
    rolled_back.execute("alter function ops.caller_id() security definer")
    expected = expectations.read_holders(expectations.FUNCTIONS)

    said = expectations.disagreements(expected, catalog.functions(rolled_back), expectations.FUNCTIONS)

    callers = "anon authenticated service_role"
    assert f"ops.caller_id(): {callers} (definer) may, expected {callers}" in said


def test_no_role_can_truncate_reference_or_add_triggers_to_tables(rolled_back):
    """Check these rights here, because row security does not stop a truncate and the walk does not try it."""
    query = (
        f"select c.oid::regclass::text from pg_class as c inner join {catalog.OURS} as n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p', 'v', 'm', 'f') "
        "and has_table_privilege(%s, c.oid, 'truncate, references, trigger')"
    )

    for role in CALLERS:
        assert rolled_back.execute(query, [role]).fetchall() == [], role


def test_roles_have_only_listed_memberships_and_no_privileged_attributes(rolled_back):
    members = catalog.rows(
        rolled_back,
        "select m.member::regrole::text, m.roleid::regrole::text from pg_auth_members as m "
        "where m.member::regrole::text = any (%(roles)s)",
    )
    powerful = catalog.rows(
        rolled_back,
        "select r.rolname from pg_roles as r where r.rolname = any (%(roles)s || array['app_read', 'app_write']) and ("
        "r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication "
        "or r.rolcanlogin and r.rolname not in ('marquee_public', 'marquee_people', 'marquee_service'))",
    )

    assert powerful == []
    assert sorted(members) == [
        ("anon", "app_read"),
        ("authenticated", "app_read"),
        ("marquee_people", "authenticated"),
        ("marquee_public", "anon"),
        ("marquee_service", "service_role"),
        ("service_role", "app_read"),
        ("service_role", "app_write"),
    ]


def test_no_role_can_create_objects_in_a_schema(rolled_back):
    query = f"select n.nspname from {catalog.OURS} as n where has_schema_privilege(%s, n.oid, 'create')"

    for role in CALLERS:
        assert rolled_back.execute(query, [role]).fetchall() == [], role


def test_no_role_can_use_a_sequence(rolled_back):
    query = (
        f"select c.oid::regclass::text from pg_class as c inner join {catalog.OURS} as n on n.oid = c.relnamespace "
        "where case when c.relkind = 'S' then has_sequence_privilege(%s, c.oid, 'usage, select, update') end"
    )

    for role in CALLERS:
        assert rolled_back.execute(query, [role]).fetchall() == [], role


def test_views_for_callers_run_with_the_callers_rights(rolled_back):
    views = catalog.rows(
        rolled_back,
        f"""
        select format('view %%I.%%I', n.nspname, c.relname), c.relkind = 'v', coalesce(c.reloptions::text, '')
        from pg_class as c
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm')
        """,
    )
    callers = {name for name, who in catalog.views(rolled_back).items() if {"anon", "authenticated"} & set(who.split())}
    invoker = {name for name, plain, options in views if plain and "security_invoker=true" in options}

    assert callers
    assert callers - invoker == set()
    assert {name for name, plain, _ in views if plain} - invoker == set()


@pytest.mark.parametrize(
    ("made", "catalogue"),
    [
        ("create table {schema}.novelty (id bigint generated always as identity)", "pg_class"),
        ("create view {schema}.novelty as select 1 as one", "pg_class"),
        ("create sequence {schema}.novelty", "pg_class"),
        ("create function {schema}.novelty() returns integer language sql return 1", "pg_proc"),
        ("create procedure {schema}.novelty() language sql begin atomic select 1; end", "pg_proc"),
    ],
    ids=["table", "view", "sequence", "function", "procedure"],
)
def test_new_object_is_granted_to_no_role(rolled_back, made, catalogue):
    privilege = {
        "pg_class": "case o.relkind when 'S' then has_sequence_privilege(%(role)s, o.oid, 'usage, select, update') "
        "else has_table_privilege(%(role)s, o.oid, 'select, insert, update, delete, truncate') end",
        "pg_proc": "has_function_privilege(%(role)s, o.oid, 'execute')",
    }[catalogue]
    column = "relname" if catalogue == "pg_class" else "proname"
    schemas = [schema for (schema,) in catalog.rows(rolled_back, f"select n.nspname from {catalog.OURS} as n")]
    for schema in schemas:
        rolled_back.execute(made.format(schema=schema))

    query = f"select count(*) as n, count(*) filter (where {privilege}) as may from {catalogue} as o "
    for role in CALLERS:
        found = rolled_back.execute(query + f"where o.{column} = 'novelty'", {"role": role}).fetchone()
        assert found == {"n": len(schemas), "may": 0}, role


def test_default_privileges_grant_nothing_except_to_the_owner(rolled_back):
    given = catalog.rows(
        rolled_back,
        "select d.defaclobjtype, a.grantee::regrole::text, a.privilege_type "
        "from pg_default_acl as d, aclexplode(d.defaclacl) as a where a.grantee <> d.defaclrole",
    )

    assert given == []
