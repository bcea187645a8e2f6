"""Read the database's catalog. No schema or table is named here."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

ROLES = ("anon", "authenticated", "service_role", "marquee_public", "marquee_people", "marquee_service", "public")
CALLERS = ("anon", "authenticated", "service_role")

OURS = """
(
    select n.oid, n.nspname
    from pg_namespace as n
    where
        n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and not exists (select from pg_depend as d where d.objid = n.oid and d.deptype = 'e')
)
"""
"""Our schemas, without those of PostgreSQL and of extensions."""

_RELATIONS = f"""
select
    format('%%I.%%I', n.nspname, c.relname),
    (select format('%%I.%%I', r.relnamespace::regnamespace::text, r.relname) from pg_class as r
     where c.relispartition and r.oid = pg_partition_root(c.oid)),
    c.relrowsecurity,
    array(
        select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    ),
    array(
        select a.attname::text from pg_attribute as a
        where
            a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and (a.attgenerated <> '' or a.attidentity = 'a')
    ),
    array(
        select a.attname::text from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''
    ),
    array(
        select a.attname::text from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = c.oid and i.indisprimary order by a.attnum
    ),
    coalesce((
        select jsonb_object_agg(a.attname, f.confrelid::regclass::text) from pg_constraint as f
        inner join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
        where f.conrelid = c.oid and f.contype = 'f' and cardinality(f.conkey) = 1
    ), '{{}}'),
    array(
        select role || ' ' || operation
        from unnest(%(roles)s::text[]) as role, unnest(array['select', 'insert', 'update', 'delete']) as operation
        where has_table_privilege(role, c.oid, operation)
    )
from pg_class as c
inner join {OURS} as n on n.oid = c.relnamespace
where
    c.relkind in ('r', 'p', 'f')
    and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a partition. `computed` columns cannot be updated, and `generated` columns not be inserted either."""

    name: str
    parent: str | None
    secured: bool
    columns: list[str]
    computed: list[str]
    generated: list[str]
    primary: list[str]
    references: dict[str, str]
    granted: list[str]

    def key(self) -> str:
        """Return an expression that identifies a row of `t`: its primary key, or all columns without one."""
        return "row(" + ", ".join(f't."{name}"' for name in self.primary or self.columns) + ")::text"


def relations(connection: psycopg.Connection[Any]) -> list[Relation]:
    """Return every table and every partition with its topmost parent."""
    return [Relation(*row) for row in rows(connection, _RELATIONS)]


def tables(connection: psycopg.Connection[Any]) -> list[Relation]:
    """Return the tables without partitions."""
    return [relation for relation in relations(connection) if relation.parent is None]


def functions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return each function and procedure with the roles that may execute it: `authenticated service_role (definer)`."""
    return _holders(
        connection,
        f"""
        select format('%%I.%%I(%%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), array(
            select r.name
            from unnest(%(roles)s::text[]) with ordinality as r (name, place)
            where has_function_privilege(r.name, p.oid, 'execute')
            order by r.place
        ), case when p.prosecdef then ' (definer)' else '' end
        from pg_proc as p
        inner join {OURS} as n on n.oid = p.pronamespace
        where not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
        """,
    )


def schemas(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return each schema with the roles that may use it."""
    return _holders(
        connection,
        f"""
        select format('schema %%I', n.nspname), array(
            select r.name
            from unnest(%(roles)s::text[]) with ordinality as r (name, place)
            where has_schema_privilege(r.name, n.oid, 'usage')
            order by r.place
        )
        from {OURS} as n
        """,
    )


def views(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return each view and materialized view with the roles that may read it."""
    return _holders(
        connection,
        f"""
        select format('view %%I.%%I', n.nspname, c.relname), array(
            select r.name
            from unnest(%(roles)s::text[]) with ordinality as r (name, place)
            where has_table_privilege(r.name, c.oid, 'select')
            order by r.place
        )
        from pg_class as c
        inner join {OURS} as n on n.oid = c.relnamespace
        where
            c.relkind in ('v', 'm')
            and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')
        """,
    )


def rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a catalog query, with qualified names."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        path = cursor.execute("select current_setting('search_path'), set_config('search_path', '', false)").fetchone()
        assert path is not None
        found = cursor.execute(query, {"roles": list(ROLES)}).fetchall()
        cursor.execute("select set_config('search_path', %s, false)", [path[0]])
    return found


def _holders(connection: psycopg.Connection[Any], query: str) -> dict[str, str]:
    found = sorted(rows(connection, query))
    return {name: " ".join(holders) + "".join(more) for name, holders, *more in found if holders}
