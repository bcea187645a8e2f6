"""Secrets by name, read on first use, never from environment variables."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from marquee.core import settings

SECRET_AGE_SECONDS_MAX = 300


class Login(BaseModel):
    """A user of the database and the password that the secret has for it; other members do not count."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr


class StripeKey(BaseModel):
    """What calls Stripe in our name."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_key: SecretStr = Field(min_length=8)


class SigningSecrets(BaseModel):
    """What Stripe signs its webhooks with: one, or during a rotation the new one and the old one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    signing_secrets: list[SecretStr] = Field(min_length=1, max_length=4)


def login(arn: str, *, renewed: bool = False) -> Login:
    """The login that a secret holds, at most five minutes old; `renewed` asks for it anew."""
    return Login.model_validate_json(_text_of(arn, renewed=renewed))


def stripe_key() -> SecretStr:
    """The key for Stripe's API: STRIPE_API_KEY where it is set (locally), else the secret, at most five minutes old."""
    current = settings.current()
    if current.stripe_api_key is not None:
        return current.stripe_api_key
    return StripeKey.model_validate_json(_text_of(current.require("stripe_secret_arn"))).api_key


def signing_secrets() -> list[str]:
    """What Stripe signs with: STRIPE_SIGNING_SECRETS (locally, separated by commas), else the secret."""
    current = settings.current()
    if current.stripe_signing_secrets is not None:
        return [part.strip() for part in current.stripe_signing_secrets.get_secret_value().split(",") if part.strip()]
    kept = SigningSecrets.model_validate_json(_text_of(current.require("stripe_signing_secret_arn")))
    return [secret.get_secret_value() for secret in kept.signing_secrets]


def _text_of(arn: str, *, renewed: bool = False) -> str:
    # Imported here: it brings boto3, which costs more than the rest of the start-up.
    from aws_lambda_powertools.utilities import parameters

    return parameters.get_secret(arn, max_age=SECRET_AGE_SECONDS_MAX, force_fetch=renewed)
