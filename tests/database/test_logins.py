"""Test the three logins: each can become one role only, and claims count only within that role."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from marquee.core import migrations
from marquee.core.settings import LOGINS
from tests.kit import stages
from tests.kit.databases import API_PASSWORD, SQL
from tests.kit.walk import catalog

ROLES = ("anon", "authenticated", "service_role")
OTHERS = [(login, role) for own, login in LOGINS.items() for role in ROLES if role != own]
REASONS = {
    "ops.act_as(jsonb)": "sets the claims",
    "ops.claims()": "by the role",
    "ops.caller_id()": "by the role",
    "ops.caller_is_owner()": "only to see that none are set",
    "ops.caller_is_service()": "by the role",
    "public.outbox.correlation_id": "names a request and grants no right",
}
"""Objects that read the claims without ops.claims or ops.caller_id, with the reason."""

Connect = Callable[..., psycopg.Connection[DictRow]]


@pytest.mark.parametrize("role", ROLES)
def test_login_can_become_its_own_role(db, connect, role):
    api = connect(LOGINS[role])

    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])

        assert api.execute("select current_user::text as role").fetchone() == {"role": role}


@pytest.mark.parametrize(("login", "role"), OTHERS)
@pytest.mark.parametrize(
    "become",
    [
        'select ops.act_as(\'{{"role": "{role}", "sub": "00000000-0000-4000-8000-00000000000a"}}\')',
        "set role {role}",
        "set local role {role}",
        "select set_config('role', '{role}', true)",
        "set session authorization {role}",
    ],
)
def test_login_cannot_become_another_role(db, connect, login, role, become):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(login).execute(become.format(role=role))


@pytest.mark.parametrize("login", LOGINS.values())
def test_login_cannot_become_another_login_or_the_owner(db, connect, login):
    for role in ({*LOGINS.values()} - {login}) | {"app_read", "app_write", "postgres"}:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(f"set role {role}")


@pytest.mark.parametrize("login", LOGINS.values())
def test_login_has_timeouts_and_inherits_nothing(rolled_back, login):
    role = rolled_back.execute(
        "select r.rolcanlogin, r.rolinherit, r.rolconfig from pg_roles as r where r.rolname = %s", [login]
    ).fetchone()

    assert (role["rolcanlogin"], role["rolinherit"]) == (True, False)
    assert sorted(role["rolconfig"]) == [
        "TimeZone=UTC", "idle_in_transaction_session_timeout=15s", "lock_timeout=5s", "statement_timeout=15s"
    ]  # fmt: skip


def forge(api: psycopg.Connection[DictRow], role: str, claims: dict[str, str]) -> DictRow:
    """Replace the claims, as an injected statement could, and return the caller that the database identifies."""
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
        api.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        seen = api.execute("select ops.claims() as claims, ops.caller_id() as id, ops.caller_is_service() as service")
        return seen.fetchone()


def test_forged_claims_of_the_public_login_identify_no_caller(db, connect):
    for forged in ("anon", "authenticated", "service_role"):
        seen = forge(connect("marquee_public"), "anon", {"role": forged, "sub": str(uuid4())})

        assert seen == {"claims": None, "id": None, "service": False}


def test_forged_claims_of_the_people_login_do_not_make_the_service(db, connect):
    person = uuid4()

    seen = forge(connect("marquee_people"), "authenticated", {"role": "service_role", "sub": str(person)})

    assert (seen["id"], seen["service"]) == (person, False)


FORGED = "select set_config('request.jwt.claims', %s, true), set_config('role', 'none', true), "


@pytest.mark.parametrize(
    ("login", "role", "seen"),
    [
        ("marquee_public", "anon", {"claims": False, "id": False, "service": False}),
        ("marquee_people", "authenticated", {"claims": True, "id": True, "service": False}),
    ],
)
def test_statement_that_drops_its_role_gains_no_rights(db, connect, login, role, seen):
    """Drop the role inside a statement, which PostgreSQL allows because it checks rights when a statement starts."""
    forged = json.dumps({"role": "service_role", "sub": str(uuid4())})
    api = connect(login)
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
        row = api.execute(
            FORGED
            + "ops.claims() is not null as claims, ops.caller_id() is not null as id,"
            + " ops.caller_is_service() as service",
            [forged],
        ).fetchone()

    assert {name: row[name] for name in seen} == seen


@pytest.mark.parametrize("login", LOGINS.values())
def test_login_without_role_and_claims_does_not_count_as_the_owner(rolled_back, login):
    rolled_back.execute(f"grant usage on schema ops, payments to {login}")
    rolled_back.execute(f"grant execute on function ops.caller_is_owner() to {login}")
    assert rolled_back.execute("select ops.caller_is_owner() as owner").fetchone() == {"owner": True}

    rolled_back.execute(f"set session authorization {login}")

    assert rolled_back.execute("select ops.caller_is_owner() as owner").fetchone() == {"owner": False}


def test_person_who_drops_their_role_cannot_erase_another(db, connect):
    victim = stages.create(db).customer()
    api = connect("marquee_people")
    with pytest.raises(psycopg.Error, match="customer_not_found"), api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": "authenticated", "sub": str(uuid4())})])
        api.execute(FORGED + "users.erase_profile(%s)", [json.dumps({"role": "service_role"}), victim])


def test_public_login_that_drops_its_role_sees_no_series(db, connect):
    stage = stages.create(db)
    api = connect("marquee_public")
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": "anon"})])
        row = api.execute(
            FORGED + "(select count(*) from events.own_series) as series",
            [json.dumps({"role": "service_role", "sub": str(stage.owner)})],
        ).fetchone()

    assert row["series"] == 0


def test_service_login_needs_the_service_claims(db, connect):
    assert forge(connect("marquee_service"), "service_role", {"role": "service_role"})["service"]
    assert not forge(connect("marquee_service"), "service_role", {})["service"]


def reads_claims(db) -> set[str]:
    """Return the routines, policies, views, defaults and checks in the catalog that read the claims directly."""
    found = db.execute(
        f"""
        select p.oid::regprocedure::text as name
        from pg_proc as p
        inner join {catalog.OURS} as n on n.oid = p.pronamespace
        where p.prokind <> 'a' and pg_get_functiondef(p.oid) ~ 'request\\.jwt'
        union all
        select format('policy %%s on %%s.%%s', l.policyname, l.schemaname, l.tablename)
        from pg_policies as l
        where concat(l.qual, l.with_check) ~ 'request\\.jwt'
        union all
        select c.oid::regclass::text
        from pg_class as c
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and pg_get_viewdef(c.oid) ~ 'request\\.jwt'
        union all
        select format('%%s.%%s.%%s', n.nspname, c.relname, a.attname)
        from pg_attrdef as d
        inner join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
        inner join pg_class as c on c.oid = d.adrelid
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where not c.relispartition and pg_get_expr(d.adbin, d.adrelid) ~ 'request\\.jwt'
        union all
        select k.conname from pg_constraint as k where pg_get_constraintdef(k.oid) ~ 'request\\.jwt'
        """.replace("%%", "%")
    ).fetchall()
    return {row["name"] for row in found}


def test_only_listed_objects_read_the_claims_directly(rolled_back):
    assert reads_claims(rolled_back) == REASONS.keys()


def test_routine_that_reads_the_claims_directly_is_reported(rolled_back):
    rolled_back.execute(
        "create function ops.novelty() returns text language sql return current_setting('request.jwt.claims')"
    )

    assert reads_claims(rolled_back) - REASONS.keys() == {"ops.novelty()"}


@pytest.fixture
def former_sql(tmp_path) -> Path:
    """Return a folder of SQL with the migrations before the one that drops the former login."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in (SQL / "migrations").glob("*.sql"):
        if path.name < "0095":
            shutil.copy(path, folder)
    return tmp_path


def test_former_login_of_a_database_without_its_removal_is_dropped(server, copier, former_sql):
    copier.execute("create database upgraded")
    try:
        with psycopg.connect(server.url("upgraded"), autocommit=True) as owner:
            migrations.migrate(owner, former_sql)
            owner.execute(f"alter role marquee_api login password '{API_PASSWORD}'")
            former = server.url("upgraded", "marquee_api", API_PASSWORD)
            for role in ROLES:
                with psycopg.connect(former) as api:
                    api.execute(f"set role {role}")

            migrations.migrate(owner, SQL)

            assert owner.execute("select from pg_roles where rolname = 'marquee_api'").fetchone() is None
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(former)
    finally:
        copier.execute("drop database upgraded with (force)")
        copier.execute("drop role if exists marquee_api")


def test_former_login_used_by_another_database_stays_without_rights(server, copier, former_sql):
    for name in ("upgraded", "behind"):
        copier.execute(f"create database {name}")
    try:
        with psycopg.connect(server.url("behind"), autocommit=True) as behind:
            migrations.migrate(behind, former_sql)
        with psycopg.connect(server.url("upgraded"), autocommit=True) as owner:
            migrations.migrate(owner, SQL)
            row = owner.execute("select r.rolcanlogin from pg_roles as r where r.rolname = 'marquee_api'").fetchone()
            member = owner.execute(
                "select from pg_auth_members as m where m.member = 'marquee_api'::regrole"
            ).fetchone()

            assert (row, member) == ((False,), None)
    finally:
        for name in ("upgraded", "behind"):
            copier.execute(f"drop database {name} with (force)")
        copier.execute("drop role if exists marquee_api")


def test_no_routine_or_view_names_the_former_login():
    """Find grants to it in routines and views, which would fail after it is dropped."""
    named = [
        path.name
        for folder in ("routines", "views")
        for path in (SQL / folder).rglob("*.sql")
        if re.search("marquee_api", path.read_text())
    ]

    assert named == []
