"""The environment, typed."""

import json
import os
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools.utilities import parameters
from cryptography import x509
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from marquee.core import settings

SECRET = {"username": "marquee_people", "password": "p w'd", "host": "db.example", "port": 6432, "dbname": "marquee"}
AMAZON = str(settings.CERTIFICATES / "amazon.pem")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DATABASE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def secret(monkeypatch):
    """Secrets Manager with one secret, that of the login for people; returns the calls that it gets."""
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


def test_a_url_with_a_user_is_used_for_every_login_and_no_secret_is_read(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana@localhost/db")

    for login in settings.LOGINS.values():
        assert parts(login) == {"user": "ana", "host": "localhost", "dbname": "db"}
    assert secret == []


def test_a_url_without_a_user_stands_for_the_three_logins(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://:word@127.0.0.1:5433/db")

    for login in settings.LOGINS.values():
        assert parts(login) == {"user": login, "password": "word", "host": "127.0.0.1", "port": "5433", "dbname": "db"}


def test_a_url_gives_a_function_no_login_that_its_environment_does_not_name(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_URL", "postgresql://:word@localhost/db")

    assert parts("marquee_people")["user"] == "marquee_people"
    with pytest.raises(settings.MissingSetting, match="DATABASE_SERVICE_SECRET_ARN"):
        parts("marquee_service")


def test_a_secret_is_read_as_rds_writes_it(secret):
    assert parts() == {
        "user": "marquee_people", "password": "p w'd", "host": "db.example", "port": "6432", "dbname": "marquee",
        "sslmode": "verify-full", "sslrootcert": AMAZON,
    }  # fmt: skip
    assert secret == [("arn:secret", {"max_age": 300, "force_fetch": False})]


def test_a_login_whose_secret_the_function_does_not_hold_is_named(secret):
    with pytest.raises(settings.MissingSetting, match="DATABASE_SERVICE_SECRET_ARN"):
        parts("marquee_service")


def test_the_proxy_takes_the_place_of_the_secrets_host(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_HOST", "proxy.example")

    assert parts()["host"] == "proxy.example"


def test_a_rotated_secret_is_asked_for_anew(secret):
    parts(renewed=True)

    assert secret[0][1]["force_fetch"] is True


def test_the_owner_has_a_secret_of_its_own(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_OWNER_SECRET_ARN", "arn:owner")

    assert conninfo_to_dict(settings.owner_conninfo())["sslmode"] == "verify-full"
    assert secret == [("arn:owner", {"max_age": 300, "force_fetch": True})]


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://ana@db.example/db", "verify-full"),
        ("postgresql://ana@db.example,localhost/db", "verify-full"),
        ("postgresql://ana@10.0.0.7/db", "verify-full"),
        ("postgresql://ana@db.example/db?sslmode=require", "require"),
        ("postgresql://ana@localhost/db", None),
        ("postgresql://ana@[::1]/db", None),
        ("postgresql:///db?host=/run/postgresql", None),
        ("postgresql:///db", None),
    ],
)
def test_a_server_elsewhere_is_verified_unless_the_url_says_otherwise(url, mode):
    assert conninfo_to_dict(settings.verified_conninfo(url)).get("sslmode") == mode


def test_tls_without_verification_is_an_explicit_exception_and_logged(monkeypatch, secret, caplog):
    monkeypatch.setenv("DATABASE_TLS", "require")

    assert parts()["sslmode"] == "require"
    assert "database_not_verified" in caplog.text


@pytest.mark.parametrize("value", ["disable", "allow", "prefer", "verify-ca"])
def test_weaker_tls_is_no_setting(monkeypatch, secret, value):
    monkeypatch.setenv("DATABASE_TLS", value)

    with pytest.raises(ValidationError):
        parts()


@pytest.mark.parametrize(("name", "file"), [("amazon", AMAZON), ("rds", str(settings.CERTIFICATES / "rds.pem"))])
def test_trusted_certificates_are_named(monkeypatch, secret, name, file):
    monkeypatch.setenv("DATABASE_CA", name)

    assert parts()["sslrootcert"] == file


def test_trusted_certificates_may_be_a_file_and_must_be_there(monkeypatch, secret, tmp_path):
    monkeypatch.setenv("DATABASE_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(settings.MissingSetting, match=r"ca\.pem"):
        parts()

    (tmp_path / "ca.pem").touch()

    assert parts()["sslrootcert"] == str(tmp_path / "ca.pem")


@pytest.mark.parametrize("name", ["amazon", "rds"])
def test_our_certificates_are_roots_that_outlive_us(name):
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
def test_what_is_missing_is_named(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("MESSAGES_QUEUE_URL", raising=False)
    else:
        monkeypatch.setenv("MESSAGES_QUEUE_URL", value)

    with pytest.raises(settings.MissingSetting, match="MESSAGES_QUEUE_URL"):
        settings.current().require("messages_queue_url")


def test_no_password_is_ever_printed(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:hunter2@here/db")

    assert "hunter2" not in repr(settings.current()) + str(settings.current())
    assert "hunter2" in settings.current().require("database_url")
