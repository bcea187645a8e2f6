"""Three logins: each becomes one role and no other, and claims count only as far as the role goes."""

import json
import re
from collections.abc import Callable
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
    "ops.caller_is_service()": "by the role",
    "public.outbox.correlation_id": "names a request, and gives nobody a right",
}
"""What reads the claims without ops.claims or ops.caller_id, and why it may."""

Connect = Callable[..., psycopg.Connection[DictRow]]


@pytest.mark.parametrize("role", ROLES)
def test_each_login_becomes_its_role(db, connect, role):
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
def test_no_login_becomes_the_role_of_another(db, connect, login, role, become):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(login).execute(become.format(role=role))


@pytest.mark.parametrize("login", LOGINS.values())
def test_no_login_becomes_another_login_or_the_owner(db, connect, login):
    for role in ({*LOGINS.values()} - {login}) | {"app_read", "app_write", "postgres"}:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(f"set role {role}")


@pytest.mark.parametrize("login", LOGINS.values())
def test_each_login_has_the_time_outs_and_inherits_nothing(rolled_back, login):
    role = rolled_back.execute(
        "select r.rolcanlogin, r.rolinherit, r.rolconfig from pg_roles as r where r.rolname = %s", [login]
    ).fetchone()

    assert (role["rolcanlogin"], role["rolinherit"]) == (True, False)
    assert sorted(role["rolconfig"]) == [
        "TimeZone=UTC", "idle_in_transaction_session_timeout=15s", "lock_timeout=5s", "statement_timeout=15s"
    ]  # fmt: skip


def forge(api: psycopg.Connection[DictRow], role: str, claims: dict[str, str]) -> DictRow:
    """Do what an injected statement can: overwrite the claims, and ask who the database takes us for."""
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
        api.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        seen = api.execute("select ops.claims() as claims, ops.caller_id() as id, ops.caller_is_service() as service")
        return seen.fetchone()


def test_an_injection_in_the_public_catalog_is_nobody(db, connect):
    for forged in ("anon", "authenticated", "service_role"):
        seen = forge(connect("marquee_public"), "anon", {"role": forged, "sub": str(uuid4())})

        assert seen == {"claims": None, "id": None, "service": False}


def test_an_injection_among_people_is_not_the_service(db, connect):
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
def test_a_statement_that_drops_its_role_midway_gains_nothing(db, connect, login, role, seen):
    """PostgreSQL checks the right to execute when a statement starts, so a statement may drop the role afterwards."""
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


def test_a_person_who_drops_their_role_midway_erases_nobody(db, connect):
    victim = stages.create(db).customer()
    api = connect("marquee_people")
    with pytest.raises(psycopg.Error, match="customer_not_found"), api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": "authenticated", "sub": str(uuid4())})])
        api.execute(FORGED + "users.erase_profile(%s)", [json.dumps({"role": "service_role"}), victim])


def test_the_public_login_sees_no_series_of_others_when_it_drops_its_role_midway(db, connect):
    stage = stages.create(db)
    api = connect("marquee_public")
    with api.transaction():
        api.execute("select ops.act_as(%s)", [Jsonb({"role": "anon"})])
        row = api.execute(
            FORGED + "(select count(*) from events.own_series) as series",
            [json.dumps({"role": "service_role", "sub": str(stage.owner)})],
        ).fetchone()

    assert row["series"] == 0


def test_the_service_needs_the_claims_as_well(db, connect):
    assert forge(connect("marquee_service"), "service_role", {"role": "service_role"})["service"]
    assert not forge(connect("marquee_service"), "service_role", {})["service"]


def reads_claims(db) -> set[str]:
    """Everything in the catalog that reads the claims themselves: routines, policies, views, defaults, checks."""
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


def test_claims_are_read_by_the_role_everywhere(rolled_back):
    assert reads_claims(rolled_back) == REASONS.keys()


def test_a_routine_that_reads_the_claims_itself_is_named(rolled_back):
    rolled_back.execute(
        "create function ops.novelty() returns text language sql return current_setting('request.jwt.claims')"
    )

    assert reads_claims(rolled_back) - REASONS.keys() == {"ops.novelty()"}


def test_the_former_login_works_until_the_post_phase_takes_it_away(server, copier):
    copier.execute("create database upgraded")
    try:
        with psycopg.connect(server.url("upgraded"), autocommit=True) as owner:
            migrations.migrate(owner, SQL, "pre")
            # As the release before left it.
            owner.execute("grant execute on function ops.act_as(jsonb) to marquee_api")
            owner.execute(f"alter role marquee_api password '{API_PASSWORD}'")
            former = server.url("upgraded", "marquee_api", API_PASSWORD)
            for role in ROLES:
                with psycopg.connect(former) as api:
                    api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
                    assert api.execute("select current_user::text").fetchone() == (role,)

            migrations.migrate(owner, SQL, "post")

            assert owner.execute("select from pg_roles where rolname = 'marquee_api'").fetchone() is None
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(former)
    finally:
        copier.execute("drop database upgraded with (force)")


def test_a_former_login_that_another_database_names_stays_without_any_right(server, copier):
    for name in ("upgraded", "behind"):
        copier.execute(f"create database {name}")
    try:
        with psycopg.connect(server.url("behind"), autocommit=True) as behind:
            migrations.migrate(behind, SQL, "pre")
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


def test_no_text_of_the_project_still_takes_the_former_login():
    """A grant to it in a routine or view would fail once it is gone."""
    named = [
        path.name
        for folder in ("routines", "views")
        for path in (SQL / folder).rglob("*.sql")
        if re.search("marquee_api", path.read_text())
    ]

    assert named == []
