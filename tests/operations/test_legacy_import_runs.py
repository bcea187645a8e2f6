"""A run of the import of an earlier system is atomic, excludes other runs, is fast, and prints a report."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from marquee.core.settings import LOGINS
from marquee.operations import legacy_import
from tests.kit import scheduling
from tests.kit.legacy_exports import SOON, Export, counts, everything, run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(db):
    return scheduling.world(db)


@pytest.fixture
def export(world, tmp_path):
    return Export(tmp_path, world.organization_id)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no column"),
        ("id,name\n", "class_templates.csv has no column organization_id, duration_minutes"),
        ("id,id,organization_id,name,duration_minutes\n", "more than once"),
        ('id,organization_id,name,duration_minutes\nx,y,"unclosed,60\n', "line 2"),
    ],
)
def test_unreadable_file_fails_with_a_reason_and_changes_nothing(db, export, content, message):
    export.template()
    run(db, export)
    before = everything(db)
    (export.folder / "class_templates.csv").write_text(content)

    with pytest.raises(legacy_import.ImportFailed, match=message):
        legacy_import.load(db, export.folder)

    assert everything(db) == before
    assert db.execute("select count(*) as n from staging.outcomes").fetchone()["n"] == 1


def test_folder_without_exports_is_refused(db, tmp_path):
    with pytest.raises(legacy_import.ImportFailed, match="has none of the files"):
        legacy_import.load(db, tmp_path)


def test_inconsistent_counts_roll_the_import_back(db, export):
    export.instance(export.template())
    db.execute(
        "create function staging.lose() returns trigger language plpgsql as"
        " $$ begin delete from staging.outcomes where file = 'class_instances'; return null; end $$"
    )
    db.execute(
        "create trigger lose after insert on staging.outcomes for each statement execute function staging.lose()"
    )

    with pytest.raises(legacy_import.ImportFailed, match="import_does_not_add_up"):
        run(db, export)

    assert db.execute("select count(*) as n from events.series").fetchone()["n"] == 0


def test_concurrent_imports_import_each_row_once(db, connect, export):
    instance = export.instance(export.template(capacity=50))
    for _registration in range(50):
        export.registration(instance)
    folder = export.write()
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(legacy_import.load(connect(), folder))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report, "class_registrations") for report in reports) == [(0, 50, 0), (0, 50, 0), (50, 0, 0)]
    assert db.execute("select taken::integer from events.inventory").fetchone() == {"taken": 50}


def test_only_the_service_and_the_database_owner_may_convert(connect):
    for role in ("anon", "authenticated"):
        api = connect(LOGINS[role])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
            api.execute(f"""select ops.act_as('{{"role": "{role}", "sub": "{uuid4()}"}}')""")
            api.execute("select public.migrate_class_instances_to_events()")
    api = connect("marquee_service")
    with api.transaction():
        api.execute("""select ops.act_as('{"role": "service_role"}')""")
        api.execute("select public.migrate_class_instances_to_events()")
        api.execute("select * from staging.rejects")


def test_large_export_is_imported_within_30_seconds(db, export):
    template = export.template(capacity=None)
    instances = [export.instance(template, SOON + timedelta(hours=number)) for number in range(50)]
    folder = export.write()
    with (folder / "class_registrations.csv").open("w", newline="") as file:
        file.write("id,class_instance_id,customer_id,status\n")
        for number in range(20_000):
            file.write(f"{uuid4()},{instances[number % 50]},{uuid4()},confirmed\n")

    began = datetime.now(UTC)
    report = legacy_import.load(db, folder)

    assert counts(report, "class_registrations") == (20_000, 0, 0)
    assert datetime.now(UTC) - began < timedelta(seconds=30)
    assert db.execute("select sum(taken)::integer as n from events.inventory").fetchone() == {"n": 20_000}


def test_command_prints_a_report(db, server, database_name, export):
    instance = export.instance(export.template(capacity=1))
    export.registration(instance, registered_at="2025-01-01 10:00:00+00")
    export.registration(instance, registered_at="2025-01-02 10:00:00+00")
    command = [sys.executable, "-m", "marquee.operations.legacy_import", "--from", str(export.write())]

    done = subprocess.run(
        [*command, "--url", server.url(database_name)],
        cwd=ROOT / "layers/domain",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "class_registrations.csv          2           1           0           1" in done.stdout
    assert "class_registrations.csv, line 3: the class is full: its capacity is 1" in done.stdout


def test_command_names_the_missing_files(tmp_path, db, server, database_name):
    done = subprocess.run(
        [sys.executable, "-m", "marquee.operations.legacy_import", "--from", str(tmp_path), "--url",
         server.url(database_name)],
        cwd=ROOT / "layers/domain",
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Nothing was imported." in done.stderr
    assert "class_templates.csv" in done.stderr


def test_example_export_imports_its_rows_and_rejects_its_faults(db):
    db.execute(
        "insert into organizations.organizations (slug, name, country, currency, time_zone)"
        " values ('lakeside', 'Lakeside', 'CH', 'CHF', 'Europe/Zurich')"
    )

    report = legacy_import.load(db, ROOT / "demo/import")
    again = legacy_import.load(db, ROOT / "demo/import")

    assert [counts(report, file) for file in legacy_import.REQUIRED] == [(3, 0, 1), (8, 0, 2), (12, 0, 2), (4, 0, 0)]
    assert [counts(again, file) for file in legacy_import.REQUIRED] == [(0, 3, 1), (0, 8, 2), (0, 12, 2), (0, 4, 0)]
    assert [(file, line) for file, line, _ in report.rejects] == [
        ("class_instances.csv", 10), ("class_instances.csv", 11), ("class_registrations.csv", 12),
        ("class_registrations.csv", 14), ("class_templates.csv", 5),
    ]  # fmt: skip
