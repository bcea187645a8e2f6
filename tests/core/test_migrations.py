"""The migration runner: each migration runs once, all or nothing, with one deployer at a time."""

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from marquee.core import migrations
from scripts import schema
from tests.kit.databases import SQL


@pytest.fixture
def url(server) -> Iterator[str]:
    """Create an empty database and return its URL."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database empty")
    yield server.url("empty")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("drop database empty with (force)")


@pytest.fixture
def sql(tmp_path) -> Path:
    """Return a folder of SQL with one small migration."""
    write(tmp_path, "migrations/0001_first.pre.sql", "create schema shop; create table shop.things (id int);")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def migrate(url: str, sql: Path, phase="all") -> migrations.Report:
    with psycopg.connect(url, autocommit=True) as connection:
        return migrations.migrate(connection, sql, phase)


def value(url: str, query: str):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


@pytest.mark.parametrize("version", [90624, 130014, 150018, 159999])
@pytest.mark.parametrize("act", [migrations.migrate, migrations.pending])
def test_old_server_is_refused_with_its_version_and_the_required_one(sql, act, version):
    old = SimpleNamespace(info=SimpleNamespace(server_version=version))  # nothing else may be read

    with pytest.raises(migrations.MigrationError) as refused:
        act(old, sql)

    found = f"PostgreSQL {version // 10000}.{version % 10000}"
    assert str(refused.value).startswith(f"The server is {found}, and Marquee needs 16 or newer. Upgrade the server")


@pytest.mark.parametrize("version", [160000, 160011, 180001])
def test_server_of_a_supported_version_passes(version):
    migrations.check_server(SimpleNamespace(info=SimpleNamespace(server_version=version)))


@pytest.mark.parametrize("said", ["create extension warp", 'CREATE EXTENSION IF NOT EXISTS "warp" schema public'])
def test_server_without_an_extension_is_refused_before_anything_runs(url, sql, said):
    write(sql, "migrations/0002_drive.pre.sql", f"create extension if not exists plpgsql;\n{said};")

    with pytest.raises(
        migrations.MigrationError, match=r"0002_drive\.pre\.sql needs the extension warp, and the server"
    ):
        migrate(url, sql)

    assert value(url, "select to_regclass('shop.things') is null")


def test_migration_runs_once(url, sql):
    assert migrate(url, sql).migrations == ["migrations/0001_first.pre.sql"]
    assert migrate(url, sql).migrations == []


def test_routine_runs_again_when_its_text_changes(url, sql):
    write(
        sql, "routines/shop/answer.sql", "create or replace function shop.answer() returns int language sql return 41;"
    )
    migrate(url, sql)
    write(
        sql, "routines/shop/answer.sql", "create or replace function shop.answer() returns int language sql return 42;"
    )

    assert migrate(url, sql).repeatables == ["routines/shop/answer.sql"]
    assert value(url, "select shop.answer()") == 42


def test_routines_and_views_may_depend_on_each_other_in_any_order(url, sql):
    write(
        sql, "routines/shop/a.sql", "create or replace function shop.a() returns bigint language sql return shop.b();"
    )
    write(
        sql,
        "routines/shop/b.sql",
        "create function shop.b() returns bigint language sql return (select n from shop.v);",
    )
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select count(*) as n from shop.things;")

    assert len(migrate(url, sql).repeatables) == 3
    assert value(url, "select shop.a()") == 0


def test_view_may_change_its_columns(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select id, 1 as one from shop.things;")
    migrate(url, sql)
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 2 as two;")

    migrate(url, sql)

    assert value(url, "select two from shop.v") == 2


def test_view_with_dependents_may_change_its_columns(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 1 as one, 5 as n;")
    write(sql, "views/shop/a.sql", "create or replace view shop.a as select v.n from shop.v as v;")
    write(
        sql,
        "routines/shop/rows.sql",
        "create or replace function shop.rows() returns setof shop.v language sql begin atomic table shop.v; end;",
    )
    migrate(url, sql)
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 7 as n;")

    report = migrate(url, sql)

    assert sorted(report.repeatables) == ["routines/shop/rows.sql", "views/shop/a.sql", "views/shop/v.sql"]
    assert value(url, "select a.n from shop.a as a") == 7
    assert value(url, "select r.n from shop.rows() as r") == 7
    assert migrate(url, sql).repeatables == []


def test_view_is_not_replaced_while_a_policy_depends_on_it(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 1 as one, 5 as n;")
    migrate(url, sql)
    write(
        sql,
        "migrations/0002_policy.pre.sql",
        "create policy seen on shop.things using (id in (select v.n from shop.v as v));",
    )
    migrate(url, sql)
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 7 as n;")

    with pytest.raises(migrations.MigrationError, match=r"policy seen on table shop\.things uses the view"):
        migrate(url, sql)

    assert value(url, "select v.one from shop.v as v") == 1


def test_view_that_a_migration_drops_is_created_again(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select t.id from shop.things as t;")
    migrate(url, sql)
    write(
        sql,
        "migrations/0002_wider.pre.sql",
        "drop view shop.v; alter table shop.things alter column id type bigint;",
    )

    assert migrate(url, sql).repeatables == ["views/shop/v.sql"]
    assert value(url, "select pg_typeof(v.id)::text from (select max(id) as id from shop.v) as v") == "bigint"


def test_file_that_does_not_create_its_namesake_is_refused(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.other as select 1 as one;")

    with pytest.raises(migrations.MigrationError, match=r"views/shop/v\.sql does not create shop\.v"):
        migrate(url, sql)


def test_routine_with_a_changed_signature_is_refused(url, sql):
    write(sql, "routines/shop/f.sql", "create or replace function shop.f(a int) returns int language sql return a;")
    migrate(url, sql)
    write(sql, "routines/shop/f.sql", "create or replace function shop.f(a text) returns text language sql return a;")

    with pytest.raises(migrations.MigrationError, match="with another signature"):
        migrate(url, sql)


SUM = "create or replace function shop.sum(a int, b int) returns int language sql return a + b;"


def objects_and_files(url: str) -> list[tuple[object, ...]]:
    """Return each routine and view with the transaction that wrote it, and each file with the time of its run."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            """
            select 'routine', p.oid::text, p.xmin::text, p.proname::text from pg_proc as p where p.oid >= 16384
            union all
            select 'view', c.oid::text, c.xmin::text, c.relname::text
            from pg_class as c where c.oid >= 16384 and c.relkind = 'v'
            union all
            select 'trigger', g.oid::text, g.xmin::text, g.tgname::text from pg_trigger as g
            union all
            select 'file', r.file, r.checksum, r.applied_at::text from ops.repeatables as r
            order by 1, 2, 3, 4
            """
        ).fetchall()


def test_routine_is_not_replaced_when_its_file_moves_to_another_subject(url, sql):
    write(sql, "routines/shop/sum.sql", SUM)
    migrate(url, sql)
    before = objects_and_files(url)

    for old, new in [("shop", "shop/prices"), ("shop/prices", "shop/discounts"), ("shop/discounts", "shop")]:
        write(sql, f"routines/{new}/sum.sql", SUM)
        (sql / f"routines/{old}/sum.sql").unlink()
        with psycopg.connect(url, autocommit=True) as connection:
            assert migrations.pending(connection, sql) == []
        report = migrate(url, sql)
        assert (report.repeatables, report.orphans) == ([], [])
        assert objects_and_files(url) == before


def test_routine_in_a_subject_folder_runs_again_when_its_text_changes(url, sql):
    write(sql, "routines/shop/prices/sum.sql", SUM)
    assert migrate(url, sql).repeatables == ["routines/shop/sum.sql"]
    write(sql, "routines/shop/prices/sum.sql", SUM.replace("a + b", "a + b + 1"))

    assert migrate(url, sql).repeatables == ["routines/shop/sum.sql"]
    assert value(url, "select shop.sum(1, 2)") == 4


def test_routine_in_a_subject_folder_is_reported_when_its_file_is_deleted(url, sql):
    write(sql, "routines/shop/prices/sum.sql", SUM)
    migrate(url, sql)
    (sql / "routines/shop/prices/sum.sql").unlink()

    assert migrate(url, sql).orphans == ["routines/shop/sum.sql"]


def test_routine_with_a_file_in_two_subjects_is_refused(url, sql):
    write(sql, "routines/shop/prices/sum.sql", SUM)
    write(sql, "routines/shop/sum.sql", SUM)
    said = r"routines/shop/prices/sum\.sql and routines/shop/sum\.sql make the same shop\.sum"

    with pytest.raises(migrations.MigrationError, match=said):
        migrate(url, sql)
    assert value(url, "select to_regnamespace('shop') is null")


def test_fault_in_a_subject_folder_names_file_and_line(url, sql):
    write(sql, "routines/shop/prices/sum.sql", "create function shop.sum() returns int language sql\nreturn nonsense;")

    with pytest.raises(migrations.MigrationError, match=r"^routines/shop/prices/sum\.sql:2\n.*nonsense"):
        migrate(url, sql)


def flat_copy(folder: Path) -> Path:
    """Copy the project's SQL without subject folders, as earlier releases had it."""
    for path in SQL.rglob("*.sql"):
        kind, *rest = path.relative_to(SQL).parts
        target = folder / kind / rest[0] / rest[-1] if len(rest) > 1 else folder / path.relative_to(SQL)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


def test_database_is_unchanged_by_moving_files_into_subject_folders_and_back(url, tmp_path):
    flat = flat_copy(tmp_path)
    migrate(url, flat)
    before = objects_and_files(url)

    for folder in (SQL, flat, SQL):
        report = migrate(url, folder)
        assert (report.migrations, report.repeatables, report.orphans) == ([], [], [])
        assert objects_and_files(url) == before


def test_deleted_file_is_reported_until_its_object_is_dropped(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 1 as one;")
    migrate(url, sql)
    (sql / "views/shop/v.sql").unlink()
    assert migrate(url, sql).orphans == ["views/shop/v.sql"]

    write(sql, "migrations/0002_no_v.post.sql", "drop view shop.v;")

    assert migrate(url, sql).orphans == []


def test_earlier_post_migration_runs_before_a_later_pre_migration(url, sql):
    write(sql, "migrations/0002_old_column_goes.post.sql", "alter table shop.things drop column id;")
    write(sql, "migrations/0003_new_column.pre.sql", "alter table shop.things add column id uuid;")
    write(sql, "migrations/0004_later.post.sql", "alter table shop.things drop column id;")

    assert migrate(url, sql, "pre").migrations == [
        "migrations/0001_first.pre.sql",
        "migrations/0002_old_column_goes.post.sql",
        "migrations/0003_new_column.pre.sql",
    ]
    assert migrate(url, sql, "post").migrations == ["migrations/0004_later.post.sql"]


def test_post_phase_before_the_pre_phase_is_refused(url, sql):
    with pytest.raises(migrations.MigrationError, match="Run the pre phase first"):
        migrate(url, sql, "post")


def test_list_of_pending_migrations_changes_nothing(url, sql):
    write(sql, "views/shop/v.sql", "create or replace view shop.v as select 1 as one;")

    with psycopg.connect(url, autocommit=True) as connection:
        due = migrations.pending(connection, sql)

    assert due == ["migrations/0001_first.pre.sql", "views/shop/v.sql"]
    assert value(url, "select to_regnamespace('ops') is null")


def test_command_prints_its_progress_and_returns_its_status(url, sql, capsys):
    arguments = ["--url", url, "--sql", str(sql)]

    assert migrations.main(["status", *arguments]) == 1
    assert migrations.main(["apply", *arguments]) == 0
    assert migrations.main(["status", *arguments]) == 0
    assert "0001_first.pre.sql (" in capsys.readouterr().out

    write(sql, "migrations/0002_bad.pre.sql", "select nonsense;")
    assert migrations.main(["apply", *arguments]) == 1
    assert "in: select nonsense;" in capsys.readouterr().err


def test_post_migration_waits_for_the_post_phase(url, sql):
    write(sql, "migrations/0002_gone.post.sql", "drop table shop.things;")
    migrate(url, sql, "pre")
    assert value(url, "select to_regclass('shop.things') is not null")

    migrate(url, sql, "post")

    assert value(url, "select to_regclass('shop.things') is null")


def test_migration_edited_after_it_ran_is_refused(url, sql):
    migrate(url, sql)
    write(sql, "migrations/0001_first.pre.sql", "create schema shop; create table shop.others (id int);")

    with pytest.raises(migrations.MigrationError, match=r"0001_first\.pre\.sql was edited after it ran here"):
        migrate(url, sql)


def test_failed_migration_names_file_and_line_and_is_rolled_back(url, sql):
    write(sql, "migrations/0002_bad.pre.sql", "create table shop.more (id int);\nselect\n    nonsense;\n")

    with pytest.raises(migrations.MigrationError, match=r"0002_bad\.pre\.sql:3\n.*nonsense"):
        migrate(url, sql)

    assert value(url, "select to_regnamespace('shop') is null")


TRIGGER = """
create or replace function shop.{name}() returns trigger language plpgsql as 'begin return new; end';
create or replace trigger note_thing before insert on shop.things for each row execute function shop.{name}();
"""
VIEW = "create or replace view shop.v as select shop.{name}(t.id) as twice from shop.things as t;"
DOUBLE = "create or replace function shop.{name}(id int) returns int language sql immutable return id * 2;"


def write_release(folder: Path, trigger_name: str, double_name: str) -> None:
    """Write a trigger with its function, a function, and a view that calls it."""
    write(folder, f"routines/shop/{trigger_name}.sql", TRIGGER.format(name=trigger_name))
    write(folder, f"routines/shop/{double_name}.sql", DOUBLE.format(name=double_name))
    write(folder, "views/shop/v.sql", VIEW.format(name=double_name))


def test_database_after_renames_and_post_equals_a_new_database(server, url, sql, tmp_path_factory):
    write_release(sql, "follow", "twice_of")
    migrate(url, sql)
    later = tmp_path_factory.mktemp("later")
    write(later, "migrations/0001_first.pre.sql", (sql / "migrations/0001_first.pre.sql").read_text())
    write(later, "migrations/0002_names.post.sql", "drop function if exists shop.follow(), shop.twice_of(int);")
    write_release(later, "note_thing", "double")

    migrate(url, later, "pre")
    assert value(url, "select shop.twice_of(21)") == 42
    report = migrate(url, later, "post")

    assert (report.migrations, report.orphans) == (["migrations/0002_names.post.sql"], [])
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database built_new")
        try:
            migrate(server.url("built_new"), later)
            assert schema.dump(url) == schema.dump(server.url("built_new"))
        finally:
            connection.execute("drop database built_new with (force)")


def test_post_of_a_skipped_release_drops_a_routine_that_an_earlier_view_uses(url, sql, tmp_path_factory):
    write_release(sql, "follow", "twice_of")
    write(sql, "views/shop/w.sql", "create or replace view shop.w as select v.twice from shop.v as v;")
    migrate(url, sql)
    later = tmp_path_factory.mktemp("later")
    write(later, "migrations/0001_first.pre.sql", (sql / "migrations/0001_first.pre.sql").read_text())
    write(later, "migrations/0002_names.post.sql", "drop function if exists shop.twice_of(int);")
    write(later, "migrations/0003_more.pre.sql", "create table shop.more (id int);")
    write_release(later, "follow", "double")
    write(later, "views/shop/w.sql", (sql / "views/shop/w.sql").read_text())

    report = migrate(url, later, "pre")

    assert report.migrations == ["migrations/0002_names.post.sql", "migrations/0003_more.pre.sql"]
    assert value(url, "select count(*) from shop.w") == 0
    assert value(url, "select to_regprocedure('shop.twice_of(int)') is null")


def test_view_with_a_user_without_a_file_is_not_dropped_for_a_post(url, sql, tmp_path_factory):
    write_release(sql, "follow", "twice_of")
    migrate(url, sql)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create view shop.mine as select v.twice from shop.v as v")
    later = tmp_path_factory.mktemp("later")
    write(later, "migrations/0001_first.pre.sql", (sql / "migrations/0001_first.pre.sql").read_text())
    write(later, "migrations/0002_names.post.sql", "drop function if exists shop.twice_of(int);")
    write(later, "migrations/0003_more.pre.sql", "create table shop.more (id int);")
    write_release(later, "follow", "double")

    with pytest.raises(migrations.MigrationError, match=r"view shop\.v depends on function shop\.twice_of"):
        migrate(url, later, "pre")

    assert value(url, "select count(*) from shop.mine") == 0


def test_views_name_their_columns():
    """A view is created again only when its text changes, so `select *` would miss a column that a migration adds."""
    views = sorted((SQL / "views").rglob("*.sql"))

    assert [view.name for view in views if re.search(r"(?:select|,)\s+(?:\w+\.)?\*", view.read_text())] == []


def test_database_ahead_of_the_folder_is_accepted(url, sql):
    write(sql, "migrations/0002_more.pre.sql", "create table shop.more (id int);")
    migrate(url, sql)
    (sql / "migrations/0002_more.pre.sql").unlink()

    report = migrate(url, sql)

    assert (report.migrations, report.orphans) == ([], ["migrations/0002_more.pre.sql"])


@pytest.mark.parametrize("name", ["1_short.pre.sql", "0002_no_phase.sql", "0002-dashes.pre.sql"])
def test_misnamed_migration_is_refused(url, sql, name):
    write(sql, f"migrations/{name}", "select 1;")

    with pytest.raises(migrations.MigrationError, match="must be named"):
        migrate(url, sql)


def test_two_migrations_with_one_number_are_refused(url, sql):
    write(sql, "migrations/0001_other.pre.sql", "select 1;")

    with pytest.raises(migrations.MigrationError, match="Two migrations have the number 0001"):
        migrate(url, sql)


def _in_background(url: str, sql: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("spawn").Process(target=migrate, args=(url, sql))
    process.start()
    return process


def test_concurrent_deployers_run_each_migration_once(url, sql):
    write(sql, "migrations/0002_slow.pre.sql", "insert into shop.things values (1); select pg_sleep(0.3);")

    deployers = [_in_background(url, sql) for _ in range(3)]
    for deployer in deployers:
        deployer.join(30)

    assert [deployer.exitcode for deployer in deployers] == [0, 0, 0]
    assert value(url, "select count(*) from shop.things") == 1


def test_killed_deployer_leaves_no_changes_and_no_lock(url, sql):
    write(sql, "migrations/0002_slow.pre.sql", "insert into shop.things values (1); select pg_sleep(60);")
    killed = _in_background(url, sql)
    with psycopg.connect(url, autocommit=True) as watcher:
        sleeping = "select pid from pg_stat_activity where datname = 'empty' and wait_event = 'PgSleep'"
        deadline = time.monotonic() + 30
        while watcher.execute(sleeping).fetchone() is None:
            assert time.monotonic() < deadline
        os.kill(killed.pid, signal.SIGKILL)
        killed.join(10)
        # The statement ends long before its 60 s, because the server checks the connection to its client.
        while watcher.execute(sleeping).fetchone() is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    write(sql, "migrations/0002_slow.pre.sql", "insert into shop.things values (2);")

    migrate(url, sql)

    assert value(url, "select array_agg(id) from shop.things") == [2]


def test_schema_file_equals_the_migrated_database(server):
    assert schema.dump(server.url("marquee_template")) == schema.TARGET.read_text()
