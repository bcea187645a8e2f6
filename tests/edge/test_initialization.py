"""Test that a function fetches its secrets during initialization in AWS, and none when DATABASE_URL is set."""

import logging
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters

from marquee.edge import initialization
from marquee.edge.observability import observed

pytestmark = pytest.mark.usefixtures("sockets_off")

LOGIN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:people"
KEYS = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of fetched secrets, in an environment without secrets."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_SECRET_ARN", "STRIPE_API_KEY", "WEBHOOK_KEYS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PUBLIC", "PEOPLE", "SERVICE"):
        monkeypatch.delenv(f"DATABASE_{name}_SECRET_ARN", raising=False)
    found: list[str] = []
    monkeypatch.setattr(parameters, "get_secret", lambda arn, **_: found.append(arn))
    return found


def test_handler_fetches_its_secrets_before_the_first_event(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PEOPLE_SECRET_ARN", LOGIN)
    monkeypatch.setenv("WEBHOOK_KEYS_SECRET_ARN", KEYS)

    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        raise NotImplementedError

    assert asked == [LOGIN, KEYS]


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_OWNER_SECRET_ARN"])
def test_no_secret_is_fetched_locally_or_by_migrate(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DATABASE_PEOPLE_SECRET_ARN", LOGIN)
    monkeypatch.setenv(name, "postgresql://127.0.0.1/marquee")

    initialization.fetch_secrets()

    assert asked == []


def test_secret_with_a_plain_setting_is_not_fetched(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PEOPLE_SECRET_ARN", LOGIN)
    monkeypatch.setenv("WEBHOOK_KEYS_SECRET_ARN", KEYS)
    monkeypatch.setenv("WEBHOOK_KEYS", '{"current": "k1", "k1": "0"}')

    initialization.fetch_secrets()

    assert asked == [LOGIN]


def test_secret_that_cannot_be_fetched_does_not_stop_the_function(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(arn: str, **_: Any) -> None:
        raise parameters.exceptions.GetParameterError(f"{arn} is not there")

    monkeypatch.setattr(parameters, "get_secret", refuse)
    monkeypatch.setenv("DATABASE_PEOPLE_SECRET_ARN", LOGIN)

    with caplog.at_level(logging.WARNING):
        initialization.fetch_secrets()

    assert "secret_not_fetched" in caplog.text
