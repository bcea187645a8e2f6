"""Settings from the environment, and connection strings that verify the server."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities import parameters
from cryptography import x509
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import ValidationError

from marquee.core import settings

pytestmark = pytest.mark.usefixtures("sockets_off")

SECRET = {"username": "marquee_people", "password": "p w'd", "host": "db.example", "port": 6432, "dbname": "marquee"}
AMAZON = str(settings.CERTIFICATES / "amazon.pem")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("DATABASE_", "PG")) or name == "AWS_SAM_LOCAL":
            monkeypatch.delenv(name)


@pytest.fixture
def secret(monkeypatch):
    """Fake Secrets Manager with one secret, for the people's login, and return the calls it receives."""
    asked = []

    def get_secret(name, **options):
        asked.append((name, options))
        return json.dumps(SECRET)

    monkeypatch.setattr(parameters, "get_secret", get_secret)
    monkeypatch.setenv("DATABASE_PEOPLE_SECRET_ARN", "arn:secret")
    monkeypatch.setenv("DATABASE_CA", "amazon")
    return asked


def parts(login="marquee_people", **options):
    return conninfo_to_dict(settings.database_conninfo(login, **options))


def test_url_with_a_user_serves_every_login_without_a_secret(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana@localhost/db")

    for login in settings.LOGINS.values():
        assert parts(login) == {"user": "ana", "host": "localhost", "dbname": "db"}
    assert secret == []


def test_url_without_a_user_takes_the_name_of_each_login(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://:word@127.0.0.1:5433/db")

    for login in settings.LOGINS.values():
        assert parts(login) == {"user": login, "password": "word", "host": "127.0.0.1", "port": "5433", "dbname": "db"}


def test_url_gives_no_login_that_the_environment_does_not_name(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_URL", "postgresql://:word@localhost/db")

    assert parts("marquee_people")["user"] == "marquee_people"
    with pytest.raises(settings.MissingSetting, match="DATABASE_SERVICE_SECRET_ARN"):
        parts("marquee_service")


def test_secret_is_read_in_the_format_of_rds(secret):
    assert parts() == {
        "user": "marquee_people", "password": "p w'd", "host": "db.example", "port": "6432", "dbname": "marquee",
        "sslmode": "verify-full", "sslrootcert": AMAZON, "gssencmode": "disable",
    }  # fmt: skip
    assert secret == [("arn:secret", {"max_age": 300, "force_fetch": False})]


def test_error_names_the_login_secret_that_is_missing(secret):
    with pytest.raises(settings.MissingSetting, match="DATABASE_SERVICE_SECRET_ARN"):
        parts("marquee_service")


def test_proxy_host_replaces_the_host_of_the_secret(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_HOST", "proxy.example")

    assert parts()["host"] == "proxy.example"


def test_rotated_secret_is_fetched_again(secret):
    parts(renewed=True)

    assert secret[0][1]["force_fetch"] is True


def test_owner_has_its_own_secret(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_OWNER_SECRET_ARN", "arn:owner")

    assert conninfo_to_dict(settings.owner_conninfo())["sslmode"] == "verify-full"
    assert secret == [("arn:owner", {"max_age": 300, "force_fetch": True})]


ELSEWHERE = [
    "postgresql://ana@db.example/db",
    "postgresql://ana@db.example,localhost/db",
    "postgresql://ana@localhost,db.example/db",
    "postgresql://ana@10.0.0.7/db",
    "postgresql://ana@localhost./db",
    "postgresql://ana@127.0.0.1/db?hostaddr=10.0.0.1",
    "postgresql://ana@%2Ftmp/db?hostaddr=10.0.0.1",
    "postgresql://ana@db.example/db?hostaddr=127.0.0.1",
    "postgresql://ana@127.0.0.1,/db?hostaddr=127.0.0.1,10.0.0.1",
    "postgresql:///db?hostaddr=10.0.0.1",
    "host=127.0.0.1 hostaddr=10.0.0.1 user=ana dbname=db",
    "postgresql://ana@host.docker.internal/db",
]
HERE = [
    "postgresql://ana@localhost/db",
    "postgresql://ana@[::1]/db",
    "postgresql://ana@127.0.0.1/db?hostaddr=::1",
    "postgresql:///db?host=/run/postgresql",
    "postgresql:///db",
]
WEAKER = ["disable", "allow", "prefer", "require", "verify-ca"]


def with_mode(url, mode):
    return make_conninfo(url, sslmode=mode)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_remote_server_is_verified(url):
    found = conninfo_to_dict(settings.verified_conninfo(url))

    assert found["sslmode"] == "verify-full"
    assert found["gssencmode"] == "disable"
    assert found["sslrootcert"]
    assert settings.verified_conninfo(with_mode(url, "verify-full")) == settings.verified_conninfo(url)


@pytest.mark.parametrize("url", HERE)
def test_local_server_needs_no_tls(url):
    assert conninfo_to_dict(settings.verified_conninfo(url)) == conninfo_to_dict(url)
    assert conninfo_to_dict(settings.verified_conninfo(with_mode(url, "disable")))["sslmode"] == "disable"


@pytest.mark.parametrize("mode", WEAKER)
@pytest.mark.parametrize("url", ELSEWHERE)
def test_weaker_sslmode_in_the_url_is_refused(url, mode):
    with pytest.raises(settings.UnsafeSetting, match=f"sslmode={mode} does not verify"):
        settings.verified_conninfo(with_mode(url, mode))


@pytest.mark.parametrize("url", ["postgresql://ana@db.example/db?ssl=true", "host=db.example sslmode=nonsense"])
def test_unknown_ssl_parameter_or_sslmode_is_refused(url):
    with pytest.raises(settings.UnsafeSetting):
        settings.verified_conninfo(url)


@pytest.mark.parametrize("mode", WEAKER)
def test_unverified_tls_exception_still_encrypts_and_is_logged(monkeypatch, caplog, mode):
    monkeypatch.setenv("DATABASE_TLS", "require")

    found = conninfo_to_dict(settings.verified_conninfo(with_mode("postgresql://db.example/db", mode)))

    assert found["sslmode"] == ("verify-ca" if mode == "verify-ca" else "require")
    assert "database_not_verified" in caplog.text


def test_unverified_tls_exception_does_not_weaken_a_verifying_url(monkeypatch, caplog):
    monkeypatch.setenv("DATABASE_TLS", "require")

    found = conninfo_to_dict(settings.verified_conninfo("postgresql://db.example/db?sslmode=verify-full"))

    assert found["sslmode"] == "verify-full"
    assert "database_not_verified" not in caplog.text


def test_certificates_in_the_url_take_precedence():
    found = conninfo_to_dict(settings.verified_conninfo("postgresql://db.example/db?sslrootcert=/own.pem"))

    assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", "/own.pem")


@pytest.mark.parametrize(("name", "value"), [("PGHOST", "db.example"), ("PGHOSTADDR", "10.0.0.1")])
@pytest.mark.parametrize("url", ["postgresql:///db", "dbname=db"])
def test_host_from_the_environment_is_verified(monkeypatch, name, value, url):
    monkeypatch.setenv(name, value)

    assert conninfo_to_dict(settings.verified_conninfo(url))["sslmode"] == "verify-full"


def test_address_from_the_environment_is_verified_beside_a_local_host(monkeypatch):
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.1")

    assert conninfo_to_dict(settings.verified_conninfo("postgresql://localhost/db"))["sslmode"] == "verify-full"


def test_service_file_is_refused(monkeypatch):
    with pytest.raises(settings.UnsafeSetting, match="service file"):
        settings.verified_conninfo("postgresql:///db?service=prod")

    monkeypatch.setenv("PGSERVICE", "prod")

    with pytest.raises(settings.UnsafeSetting, match="service file"):
        settings.verified_conninfo("postgresql://localhost/db")


def test_host_of_a_sam_local_container_counts_as_local(monkeypatch):
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")

    url = "postgresql://:word@host.docker.internal/db?sslmode=disable"
    assert conninfo_to_dict(settings.verified_conninfo(url))["sslmode"] == "disable"


CONNECTING = {
    "functions/migrate/app.py": "conninfo = settings.owner_conninfo()",
    "layers/domain/marquee/core/database.py": "conninfo = settings.database_conninfo(login)",
    "layers/domain/marquee/core/migrations.py": "psycopg.connect(settings.verified_conninfo(options.url)",
    "layers/domain/marquee/operations/legacy_import.py": "psycopg.connect(settings.verified_conninfo(options.url)",
    "scripts/deploy_check.py": 'psycopg.connect(server.url("postgres")',  # its own embedded server
    "scripts/rate_events.py": "psycopg.connect(verified_conninfo(url)",
    "scripts/schema.py": "psycopg.connect(server.url()",  # its own embedded server
}
"""Files that connect to a database, and the code that makes their connection string safe."""


def test_every_connection_is_verified():
    root = Path(__file__).resolve().parents[2]
    files = [
        path for part in ("functions", "layers/domain", "scripts", "local") for path in (root / part).rglob("*.py")
    ]
    connecting = {path.relative_to(root).as_posix() for path in files if "psycopg.connect(" in path.read_text()}

    assert connecting == CONNECTING.keys()
    for name, code in CONNECTING.items():
        assert code in (root / name).read_text(), name


def test_tls_without_verification_needs_a_setting_and_is_logged(monkeypatch, secret, caplog):
    monkeypatch.setenv("DATABASE_TLS", "require")

    assert parts()["sslmode"] == "require"
    assert "database_not_verified" in caplog.text


@pytest.mark.parametrize("value", ["disable", "allow", "prefer", "verify-ca"])
def test_weaker_tls_setting_is_refused(monkeypatch, secret, value):
    monkeypatch.setenv("DATABASE_TLS", value)

    with pytest.raises(ValidationError):
        parts()


@pytest.mark.parametrize(("name", "file"), [("amazon", AMAZON), ("rds", str(settings.CERTIFICATES / "rds.pem"))])
def test_trusted_certificates_are_chosen_by_name(monkeypatch, secret, name, file):
    monkeypatch.setenv("DATABASE_CA", name)

    assert parts()["sslrootcert"] == file


def test_trusted_certificates_may_be_an_existing_file(monkeypatch, secret, tmp_path):
    monkeypatch.setenv("DATABASE_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(settings.MissingSetting, match=r"ca\.pem"):
        parts()

    (tmp_path / "ca.pem").touch()

    assert parts()["sslrootcert"] == str(tmp_path / "ca.pem")


@pytest.mark.parametrize("name", ["amazon", "rds"])
def test_bundled_certificates_are_roots_valid_beyond_2030(name):
    roots = x509.load_pem_x509_certificates((settings.CERTIFICATES / f"{name}.pem").read_bytes())

    assert roots
    for root in roots:
        root.verify_directly_issued_by(root)
        assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert "Amazon" in root.subject.rfc4514_string()
        assert root.not_valid_after_utc > datetime(2030, 1, 1, tzinfo=UTC)


def test_settings_follow_the_environment(monkeypatch):
    monkeypatch.setenv("TOKEN_ISSUER", "https://one.example")
    assert settings.current().token_issuer == "https://one.example"
    monkeypatch.setenv("TOKEN_ISSUER", "https://two.example")
    assert settings.current().token_issuer == "https://two.example"


@pytest.mark.parametrize("value", [None, ""])
def test_missing_setting_is_named(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("MESSAGES_QUEUE_URL", raising=False)
    else:
        monkeypatch.setenv("MESSAGES_QUEUE_URL", value)

    with pytest.raises(settings.MissingSetting, match="MESSAGES_QUEUE_URL"):
        settings.current().require("messages_queue_url")


def test_password_is_never_printed(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:hunter2@here/db")

    assert "hunter2" not in repr(settings.current()) + str(settings.current())
    assert "hunter2" in settings.current().require("database_url")
