"""The environment, typed."""

import json

import pytest
from aws_lambda_powertools.utilities import parameters
from psycopg.conninfo import conninfo_to_dict

from marquee.core import settings

SECRET = {"username": "marquee_api", "password": "p w'd", "host": "db.example", "port": 6432, "dbname": "marquee"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in ("DATABASE_URL", "DATABASE_SECRET_ARN", "DATABASE_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secret(monkeypatch):
    """Secrets Manager with one secret; answers how it was asked."""
    asked = []

    def get_secret(name, **options):
        asked.append((name, options))
        return json.dumps(SECRET)

    monkeypatch.setattr(parameters, "get_secret", get_secret)
    monkeypatch.setenv("DATABASE_SECRET_ARN", "arn:secret")
    return asked


def test_a_url_wins_and_no_secret_is_asked_for(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_URL", "postgresql://here/db")

    assert settings.database_conninfo() == "postgresql://here/db"
    assert secret == []


def test_a_secret_is_read_as_rds_writes_it(secret):
    assert conninfo_to_dict(settings.database_conninfo()) == {
        "user": "marquee_api", "password": "p w'd", "host": "db.example", "port": "6432", "dbname": "marquee",
        "sslmode": "require",
    }  # fmt: skip
    assert secret == [("arn:secret", {"max_age": 300, "force_fetch": False})]


def test_the_proxy_takes_the_place_of_the_secrets_host(monkeypatch, secret):
    monkeypatch.setenv("DATABASE_HOST", "proxy.example")

    assert conninfo_to_dict(settings.database_conninfo())["host"] == "proxy.example"


def test_a_rotated_secret_is_asked_for_anew(secret):
    settings.database_conninfo(renewed=True)

    assert secret[0][1]["force_fetch"] is True


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
