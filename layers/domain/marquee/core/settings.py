"""What the environment says, validated and typed. Read on use, never at import; validated once per set of values."""

import os
from functools import lru_cache
from typing import Literal

from psycopg.conninfo import make_conninfo
from pydantic import BaseModel, ConfigDict, Field, SecretStr

SECRET_AGE_SECONDS_MAX = 300


class MissingSetting(Exception):
    """A setting that this function needs is not in its environment."""


class Settings(BaseModel):
    """The environment variables that Marquee reads, by their names in lower case; an empty one counts as not set."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr | None = None
    database_secret_arn: str | None = None
    database_host: str | None = None
    token_issuer: str | None = None
    token_audience: str | None = None
    token_jwks_url: str | None = None
    token_emails_verified: bool = False
    generate_queue_url: str | None = None
    relay_queue_url: str | None = None
    messages_queue_url: str | None = None
    messages_sender: str | None = None
    deliver_queue_url: str | None = None
    webhooks_allow_private: bool = False
    webhook_keys: SecretStr | None = None
    webhook_keys_secret_arn: str | None = None
    cors_origin: str | None = None
    stripe_api_base: str | None = None
    stripe_api_key: SecretStr | None = None
    stripe_secret_arn: str | None = None
    stripe_signing_secrets: SecretStr | None = None
    stripe_signing_secret_arn: str | None = None
    stripe_mode: Literal["test", "live"] = "test"
    stripe_events_queue_url: str | None = None
    refunds_queue_url: str | None = None
    calibrate_queue_url: str | None = None
    process_batch_queue_url: str | None = None
    rating_batch_items: int = Field(default=500, ge=200, le=1000)
    rating_events_queue_url: str | None = None
    aws_lambda_function_name: str = "marquee"

    def require(self, name: str) -> str:
        """A setting that must be there, by its lower-case name. Raises MissingSetting where it is not."""
        value = getattr(self, name)
        if value is None:
            raise MissingSetting(f"{name.upper()} is not set.")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class _DatabaseSecret(BaseModel):
    """A secret as RDS writes it; those that RDS manages hold no host and no database name; the rest is ignored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr
    host: str | None = None
    port: int = Field(default=5432, ge=1, le=65535)
    dbname: str = "marquee"


def current() -> Settings:
    """The settings of this moment; cheap enough to ask for at every use."""
    return _validated(tuple(os.environ.get(name) or None for name in _NAMES))


def database_url() -> str | None:
    """DATABASE_URL, where it is set. Every session asks for it, so that it is read without the rest."""
    return os.environ.get("DATABASE_URL") or None


def database_conninfo(*, renewed: bool = False) -> str:
    """How to reach the database: DATABASE_URL, else the secret; `renewed` asks for the secret anew after a rotation."""
    url = database_url()
    if url is not None:
        return url

    # Imported here: it brings boto3, which costs more than the rest of the start-up and is not needed with a URL.
    from aws_lambda_powertools.utilities import parameters

    settings = current()
    text = parameters.get_secret(
        settings.require("database_secret_arn"), max_age=SECRET_AGE_SECONDS_MAX, force_fetch=renewed
    )
    secret = _DatabaseSecret.model_validate_json(text)
    return make_conninfo(
        user=secret.username,
        password=secret.password.get_secret_value(),
        host=settings.database_host or secret.host or settings.require("database_host"),
        port=secret.port,
        dbname=secret.dbname,
        sslmode="require",
    )


_NAMES = tuple(name.upper() for name in Settings.model_fields)


@lru_cache(maxsize=8)
def _validated(values: tuple[str | None, ...]) -> Settings:
    given = {name.lower(): value for name, value in zip(_NAMES, values, strict=True) if value is not None}
    return Settings.model_validate(given)
