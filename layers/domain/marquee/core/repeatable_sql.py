"""Routines and views, created again whenever their file changes, in the order of their dependencies.

A file is named after what it makes: routines/<schema>/<subject>/<name>.sql makes the routine schema.name, and views are
named likewise. Subject folders are optional, and the database knows each file without them. So a file may move to
another subject, or back, and its routine is not made again.

A routine or view that a migration dropped is missed and made again, and one whose columns change takes those that look
through it along. A changed signature wants a name of its own (_v2): the old code still calls the old one.
"""

from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import tuple_row

from marquee.core.sqlfiles import MigrationError, SqlFile, execute, failure, read

FAILURES_SHOWN_MAX = 5

_THERE: LiteralString = """
select 'views/' || n.nspname || '/' || c.relname || '.sql'
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where c.relkind in ('v', 'm') and n.nspname <> all (array['pg_catalog', 'information_schema'])
union
select 'routines/' || n.nspname || '/' || p.proname || '.sql'
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname <> all (array['pg_catalog', 'information_schema'])
"""

_OVERLOADED: LiteralString = """
select 'routines/' || n.nspname || '/' || p.proname || '.sql'
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
group by n.nspname, p.proname
having count(*) > 1
"""

# All objects that depend on a view, also indirectly, with the file that creates them (null: no file). A view depends
# through its rule, a routine through the view's row type; a trigger belongs to its function's file.
_USERS: LiteralString = """
with recursive users (classid, objid) as (
    select 'pg_class'::regclass::oid, to_regclass(%(view)s)::oid
    union
    select
        case when r.oid is null then d.classid else 'pg_class'::regclass::oid end,
        coalesce(r.ev_class, d.objid)
    from users as u
    inner join pg_catalog.pg_depend as d on u.classid = d.refclassid and u.objid = d.refobjid and d.deptype <> 'e'
    left join pg_catalog.pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
)

select
    pg_catalog.pg_describe_object(u.classid, u.objid, 0),
    case
        when c.relkind in ('v', 'm') then 'views/' || cn.nspname || '/' || c.relname || '.sql'
        when p.oid is not null then 'routines/' || pn.nspname || '/' || p.proname || '.sql'
    end
from users as u
left join pg_catalog.pg_class as c on u.classid = 'pg_class'::regclass and u.objid = c.oid
left join pg_catalog.pg_namespace as cn on c.relnamespace = cn.oid
left join pg_catalog.pg_trigger as g on u.classid = 'pg_trigger'::regclass and u.objid = g.oid
left join pg_catalog.pg_proc as p on p.oid = case when u.classid = 'pg_proc'::regclass then u.objid else g.tgfoid end
left join pg_catalog.pg_namespace as pn on p.pronamespace = pn.oid
where
    u.classid <> 'pg_type'::regclass
    and (c.oid is null or c.relkind <> 'i')
    and u.objid <> to_regclass(%(view)s)::oid
"""

_REMEMBER: LiteralString = """
insert into ops.repeatables (file, checksum) values (%s, %s)
on conflict (file) do update set checksum = excluded.checksum, applied_at = clock_timestamp()
"""


def files(folder: Path) -> list[SqlFile]:
    """Return all routines, then all views."""
    return read(folder, [path for kind in ("routines", "views") for path in sorted((folder / kind).rglob("*.sql"))])


def _by_name(folder: Path) -> dict[str, SqlFile]:
    """Return the files by name. Raises MigrationError if two files make the same object."""
    found: dict[str, SqlFile] = {}
    for file in files(folder):
        first = found.setdefault(file.name, file)
        if first is not file:
            raise MigrationError(f"{first.path} and {file.path} make the same {_object(file.name)}. Delete one file.")
    return found


def waiting(connection: psycopg.Connection[Any], folder: Path, known: dict[str, str]) -> list[SqlFile]:
    """Return the files that changed since they ran (`known`: name to checksum), or whose object is missing."""
    there = _names(connection, _THERE)
    everything = _by_name(folder)
    return [file for name, file in everything.items() if known.get(name) != file.checksum or name not in there]


def forget_the_gone(connection: psycopg.Connection[Any], folder: Path) -> None:
    """Delete the records of files that no longer exist, once their objects no longer exist either."""
    there = [*_names(connection, _THERE), *(file.name for file in files(folder))]
    connection.execute("delete from ops.repeatables as r where r.file <> all (%s)", [there])


def drop_changed_views(connection: psycopg.Connection[Any], folder: Path, known: dict[str, str]) -> None:
    """Drop the views whose files changed, and the objects that use them. `apply` creates all of them again.

    Otherwise a view of an earlier release could use a routine that a migration of that release drops. A view stays if
    an object uses it that has no file.
    """
    everything = _by_name(folder)
    for file in waiting(connection, folder, known):
        if file.name.startswith("views/") and all(user in everything for _, user in _users(connection, file)):
            _drop_view(connection, file)


def apply(connection: psycopg.Connection[Any], folder: Path, known: dict[str, str]) -> list[str]:
    """Run the pending files, in the caller's transaction; a file that fails is retried after the others.

    Returns the names in the order that worked. Raises MigrationError if a whole pass fails.
    """
    everything = _by_name(folder)
    left = waiting(connection, folder, known)
    done: list[str] = []
    while left:
        failed: list[tuple[SqlFile, psycopg.Error]] = []
        again: set[str] = set()
        for file in left:
            try:
                with connection.transaction():
                    lost = _replace(connection, file, everything)
            except psycopg.Error as error:
                failed.append((file, error))
                continue
            again |= lost
            done.append(file.name)
            connection.execute(_REMEMBER, [file.name, file.checksum])
        if len(failed) == len(left):
            raise MigrationError("\n\n".join(str(failure(file, error)) for file, error in failed[:FAILURES_SHOWN_MAX]))
        again |= {file.name for file, _ in failed}
        left = [file for name, file in everything.items() if name in again]
    _check_names(connection, everything)
    return done


def _check_names(connection: psycopg.Connection[Any], everything: dict[str, SqlFile]) -> None:
    """Check that every file creates the object of its name, because otherwise missing objects would go unnoticed."""
    if misnamed := sorted(everything.keys() - _names(connection, _THERE)):
        path = everything[misnamed[0]].path
        raise MigrationError(f"{path} does not create {_object(misnamed[0])}. Name the file after its object.")
    if overloaded := sorted(everything.keys() & _names(connection, _OVERLOADED)):
        path = everything[overloaded[0]].path
        raise MigrationError(
            f"{path}: the database has another routine of this name, with another signature. Give the new one a new"
            " name (_v2), and drop the old one in a post migration. If no running code calls it, drop it in a pre"
            " migration."
        )


def _replace(connection: psycopg.Connection[Any], file: SqlFile, everything: dict[str, SqlFile]) -> set[str]:
    """Run a file; a view whose columns changed is dropped first. Returns the files of the objects dropped with it."""
    try:
        with connection.transaction():
            execute(connection, file)
        return set()
    except psycopg.errors.InvalidTableDefinition:
        if not file.name.startswith("views/"):
            raise
    users = _users(connection, file)
    for user, its_file in users:
        if its_file not in everything:
            raise MigrationError(
                f"{file.path} changes its columns, and {user} uses the view and has no file that creates it again. "
                "Drop it in a migration first, or add columns only at the end."
            )
    _drop_view(connection, file)
    execute(connection, file)
    return {its_file for _, its_file in users}


def _users(connection: psycopg.Connection[Any], file: SqlFile) -> list[tuple[str, str]]:
    """Return the objects that use a view, each with the file that creates it."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_USERS, {"view": _object(file.name)}).fetchall()


def _drop_view(connection: psycopg.Connection[Any], file: SqlFile) -> None:
    name = psycopg.sql.Identifier(*_object(file.name).split("."))
    connection.execute(psycopg.sql.SQL("drop view if exists {} cascade").format(name))


def _object(name: str) -> str:
    """Return the name of a file's object: schema.name."""
    return ".".join(name.removesuffix(".sql").split("/")[1:])


def _names(connection: psycopg.Connection[Any], query: LiteralString) -> set[str]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return {row[0] for row in cursor.execute(query).fetchall()}
