"""Test that no caller can run their own code as the owner through a type or a table of a temporary schema.

PostgreSQL searches pg_temp first for types and tables, unless a search path names it. There are two defences, and each
must suffice alone: every routine names pg_temp last, and no caller can create temporary objects. The attack is tried
for every security definer routine and every role that may call it.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from local.postgres import Server, versions
from marquee.core import migrations
from marquee.core.settings import LOGINS
from tests.kit.data_folders import data_folder
from tests.kit.databases import SQL, api_url, set_passwords
from tests.kit.walk import catalog, world
from tests.kit.walk.world import ORGANIZATIONS, PEOPLE

FILLED = "filled"

ROLES = ("anon", "authenticated", "service_role")
CALLERS = [*ROLES, *LOGINS.values(), "public"]
ATTACK_FUNCTION = """
create function pg_temp.evil(value anyelement) returns boolean language plpgsql as $$
begin
    raise notice 'runs as %, by %', current_user, value;
    return true;
end $$
"""
TYPES = """
select t.typname::text
from pg_type as t
where
    t.typnamespace = 'pg_catalog'::regnamespace
    and t.typtype in ('b', 'r', 'm')
    and t.typelem = 0
    and t.typname !~ '^(pg_|_|reg|gts|any)'
    and t.typinput::regproc::text not in ('pg_ddl_command_in')
order by t.typname
"""
ROUTINES = f"""
select
    p.oid::regprocedure::text as name,
    format('%%I.%%I', n.nspname, p.proname) as called,
    p.prokind::text as kind,
    coalesce(p.proargnames, '{{}}')::text[] as names,
    array(
        select format_type(a.type, null) from unnest(p.proargtypes) with ordinality as a (type, n) order by a.n
    ) as types,
    array(
        select role from unnest(%(roles)s::text[]) as role where has_function_privilege(role, p.oid, 'execute')
    ) as roles
from pg_proc as p
inner join {catalog.OURS} as n on n.oid = p.pronamespace
where p.prosecdef and p.prorettype <> 'trigger'::regtype and p.prokind in ('f', 'p')
order by 1
"""
UNPINNED = f"""
select
    p.oid::regprocedure::text,
    array(select role from unnest(%(roles)s::text[]) as role where has_function_privilege(role, p.oid, 'execute'))
from pg_proc as p
inner join {catalog.OURS} as n on n.oid = p.pronamespace
where
    p.prosqlbody is null and p.prokind in ('f', 'p')
    and not coalesce(p.proconfig, '{{}}') @> array['search_path=pg_catalog, pg_temp']
order by 1
"""
UNPINNED_FOR_CALLERS = {
    "payments.hash_link(bytea,bytea)": "runs for each entry of the ledger, as the caller; names no type and no table",
}
"""Routines without a pinned path that other roles may call, with the reason why a caller cannot affect them."""


@dataclass(slots=True)
class Attack:
    """The result of an attack: by routine and role, the notices of code that ran as the owner."""

    called: set[tuple[str, str]] = field(default_factory=set)
    made: int = 0
    breaches: dict[tuple[str, str], set[str]] = field(default_factory=dict)


@pytest.fixture(scope="module", params=versions(), ids=lambda version: f"postgresql-{version}")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start a server of each packaged version, with a database that has rows of every kind of person."""
    with data_folder() as folder:
        running = Server(folder / "postgres", durable=False, version=request.param)
        running.start()
        try:
            with psycopg.connect(running.url(), autocommit=True) as copier:
                copier.execute(f"create database {FILLED}")
            with psycopg.connect(running.url(FILLED), autocommit=True) as owner:
                migrations.migrate(owner, SQL)
                set_passwords(owner)
                world.fill(owner)
            yield running
        finally:
            running.stop("immediate")


_numbers = itertools.count(1)


@pytest.fixture
def target(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """Return the owner's connection to a copy with both defences. A test can remove them."""
    name = f"owner_code_{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as copier:
        copier.execute(f"create database {name} template {FILLED} strategy file_copy")
        copier.execute(f"revoke temporary on database {name} from public")
        with psycopg.connect(server.url(name), autocommit=True) as owner:
            yield owner
        copier.execute(f"drop database {name} with (force)")


def allow_temporary(owner: psycopg.Connection[Any]) -> None:
    """Remove one defence: allow every role to create temporary objects."""
    owner.execute(f"grant temporary on database {owner.info.dbname} to public")


def clear_search_paths(owner: psycopg.Connection[Any]) -> None:
    """Remove the other defence: set every search path to empty."""
    for (name,) in owner.execute(
        f"select p.oid::regprocedure::text from pg_proc as p inner join {catalog.OURS} as n on n.oid = p.pronamespace "
        "where coalesce(p.proconfig::text, '') ~ 'search_path'"
    ).fetchall():
        owner.execute(f"alter routine {name} set search_path = ''")


def attack(server: Server, owner: psycopg.Connection[Any]) -> Attack:
    """Create types and views with names that routines use, as each role, then call every allowed routine."""
    done = Attack()
    types = [name for (name,) in owner.execute(TYPES).fetchall()]
    tables = [name for (name,) in owner.execute(
        f"select distinct c.relname::text from pg_class as c inner join {catalog.OURS} as n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p', 'v') and not c.relispartition order by 1"
    ).fetchall()]  # fmt: skip
    values = _values(owner)
    with owner.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        routines = cursor.execute(ROUTINES, {"roles": list(ROLES)}).fetchall()
    for role in ROLES:
        heard: list[str] = []
        with psycopg.connect(
            api_url(server, owner.info.dbname, LOGINS[role]), autocommit=True, row_factory=tuple_row
        ) as api:
            api.add_notice_handler(lambda notice, heard=heard: heard.append(str(notice.message_primary)))
            done.made += _arm(api, types, tables)
            claims = Jsonb({"role": role, "sub": str(PEOPLE["owner"]), "org_id": str(ORGANIZATIONS["ours"])})
            for routine in (each for each in routines if role in each["roles"]):
                heard.clear()
                for arguments in _arguments(routine["names"], routine["types"], values):
                    verb = "call" if routine["kind"] == "p" else "select"
                    try:
                        with api.transaction(force_rollback=True):
                            api.execute("set local statement_timeout = '5s'")
                            api.execute("select ops.act_as(%s)", [claims])
                            api.execute(f"{verb} {routine['called']}({arguments})")
                    except psycopg.Error:
                        pass  # a refusal; earlier notices were collected
                done.called.add((routine["name"], role))
                if found := {text for text in heard if text.startswith(f"runs as {owner.info.user},")}:
                    done.breaches[routine["name"], role] = found
    return done


def _arm(api: psycopg.Connection[Any], types: list[str], tables: list[str]) -> int:
    """Create the caller's objects and return their number."""
    made = 0
    for statement in (
        ATTACK_FUNCTION,
        *(
            f"create domain pg_temp.{_quoted(name)} as pg_catalog.{_quoted(name)} "
            f"check (pg_temp.evil('{name}'::pg_catalog.text))"
            for name in types
        ),
        *(
            f"create temp view {_quoted(name)} as select pg_temp.evil('{name}'::pg_catalog.text) as id"
            for name in tables
        ),
    ):
        try:
            api.execute(statement)
            made += 1
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName):
            pass
    return made


def _values(owner: psycopg.Connection[Any]) -> dict[str, str]:
    """Return existing ids by parameter name, of our organization where the row has one."""
    values = {}
    for table, name, is_owned in owner.execute(
        f"""
        select
            format('%I.%I', n.nspname, c.relname),
            regexp_replace(regexp_replace(c.relname, 'ies$', 'y'), 's$', '') || '_id',
            exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'organization_id')
        from pg_class as c
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where
            c.relkind in ('r', 'p') and not c.relispartition
            and exists (
                select from pg_attribute as a
                where a.attrelid = c.oid and a.attname = 'id' and a.atttypid = 'uuid'::regtype
            )
        """
    ).fetchall():
        ours = f"where t.organization_id = '{ORGANIZATIONS['ours']}'" if is_owned else ""
        row = owner.execute(f"select t.id from {table} as t {ours} order by t.id limit 1").fetchone()
        if row is not None:
            values[name] = str(row[0])
    return {**values, "organization_id": str(ORGANIZATIONS["ours"]), "customer_id": str(PEOPLE["customer"])}


def _id(values: dict[str, str], name: str) -> str:
    """Return the id for a parameter. For example, entry_id matches waitlist_entry_id."""
    return next((value for each, value in values.items() if f"_{each}".endswith(f"_{name}")), values["event_id"])


def _arguments(names: list[str], types: list[str], values: dict[str, str]) -> list[str]:
    """Return two argument lists for a routine: plausible values, and NULL for each parameter."""
    given = []
    for name, kind in itertools.zip_longest(names[: len(types)], types, fillvalue=""):
        if kind == "uuid":
            text = _id(values, name)
        elif kind == "uuid[]":
            text = "{" + _id(values, name.removesuffix("s")) + "}"
        elif kind.endswith("[]"):
            text = "{}"
        elif kind in ("jsonb", "json"):
            text = "[{}]" if name.endswith("s") else "{}"
        elif kind.startswith(("integer", "bigint", "double", "numeric", "smallint")):
            text = "1"
        elif kind == "boolean":
            text = "true"
        elif kind.startswith(("timestamp", "date")):
            text = "2026-01-01"
        elif kind == "interval":
            text = "1 day"
        elif kind in ("text", "character", "character varying", "bytea"):
            text = "x"
        else:
            given.append(f"null::{kind}")
            continue
        given.append(f"'{text}'::{_builtin(kind)}")
    nothing = [f"null::{_builtin(kind)}" for kind in types]
    return list(dict.fromkeys([", ".join(given), ", ".join(nothing)]))


def _builtin(kind: str) -> str:
    """Return a type's name qualified as PostgreSQL's own, unless the grammar knows the type."""
    return kind if "." in kind or kind.split("[", maxsplit=1)[0] in GRAMMAR else f"pg_catalog.{kind}"


GRAMMAR = {
    "bigint", "boolean", "character", "character varying", "double precision", "integer", "interval", "numeric", "real",
    "smallint", "timestamp with time zone", "timestamp without time zone", "time without time zone",
}  # fmt: skip
"""Names of types that the grammar knows. They ignore the search path."""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_attack_succeeds_without_both_defences(server, target):
    allow_temporary(target)
    clear_search_paths(target)

    done = attack(server, target)

    # The other routines name no type without its schema, or not on the path that these arguments take.
    assert len(done.called) > 200
    assert len(done.breaches) > 120
    assert {role for _, role in done.breaches} == set(ROLES)


def test_search_paths_alone_stop_the_attack(server, target):
    allow_temporary(target)

    done = attack(server, target)

    assert done.made > 3 * 100
    assert done.breaches == {}
    assert {role for _, role in done.called} == set(ROLES)


def test_revoked_temporary_right_alone_stops_the_attack(server, target):
    clear_search_paths(target)

    done = attack(server, target)

    assert done.made == 0
    assert done.breaches == {}


def test_unpinned_routine_can_be_called_by_no_other_role(target):
    """Check the grants, because PL/pgSQL compiles a routine once per session with the path of its first call."""
    loose = {name for name, callers in target.execute(UNPINNED, {"roles": CALLERS}).fetchall() if callers}

    assert loose == UNPINNED_FOR_CALLERS.keys()


def test_unpinned_exception_runs_as_the_caller_and_names_no_type_or_table(target):
    types = "|".join(name for (name,) in target.execute(TYPES).fetchall())
    for name in UNPINNED_FOR_CALLERS:
        is_definer, text = target.execute(
            "select p.prosecdef, p.prosrc from pg_proc as p where p.oid = %s::regprocedure", [name]
        ).fetchone()

        assert is_definer is False
        assert re.findall(rf"(?<![.\w'])({types})(?![\w'(])|\b(from|join|into|update)\b", text) == []
