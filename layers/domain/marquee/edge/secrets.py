"""Secrets by name, read on first use, never from environment variables."""

from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr

from marquee.core import encryption, settings

SECRET_AGE_SECONDS_MAX = 300


class Login(BaseModel):
    """A user of the database and the password in the secret; other members are ignored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr


class StripeKey(BaseModel):
    """The key for calls to Stripe's API."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_key: SecretStr = Field(min_length=8)


class SigningSecrets(BaseModel):
    """The keys with which Stripe signs its webhooks: one, or during a rotation the new and the old one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    signing_secrets: list[SecretStr] = Field(min_length=1, max_length=4)


class WebhookKeys(RootModel[dict[str, SecretStr]]):
    """The keys that seal webhook secrets: random texts by key id, and the current id under `current`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class InvalidKeys(Exception):
    """The secret with the keys is not valid. The message contains none of its contents."""


def login(arn: str, *, renewed: bool = False) -> Login:
    """Return the login of a secret, at most five minutes old; `renewed` fetches it again."""
    return Login.model_validate_json(_text_of(arn, renewed=renewed))


def stripe_key() -> SecretStr:
    """Return the key for Stripe's API.

    It is STRIPE_API_KEY if set (locally), else the secret, at most five minutes old.
    """
    current = settings.current()
    if current.stripe_api_key is not None:
        return current.stripe_api_key
    return StripeKey.model_validate_json(_text_of(current.require("stripe_secret_arn"))).api_key


def signing_secrets() -> list[str]:
    """Return Stripe's signing secrets: STRIPE_SIGNING_SECRETS (locally, separated by commas), else the secret."""
    current = settings.current()
    if current.stripe_signing_secrets is not None:
        return [part.strip() for part in current.stripe_signing_secrets.get_secret_value().split(",") if part.strip()]
    kept = SigningSecrets.model_validate_json(_text_of(current.require("stripe_signing_secret_arn")))
    return [secret.get_secret_value() for secret in kept.signing_secrets]


def webhook_keys(*, renewed: bool = False) -> encryption.KeyRing:
    """Return the keys of webhook secrets: WEBHOOK_KEYS if set (locally), else the secret, at most five minutes old.

    Raises MissingSetting if neither is configured, and InvalidKeys.
    """
    current = settings.current()
    if current.webhook_keys is not None:
        text = current.webhook_keys.get_secret_value()
    else:
        text = _text_of(current.require("webhook_keys_secret_arn"), renewed=renewed)
    try:
        held = {name: value.get_secret_value() for name, value in WebhookKeys.model_validate_json(text).root.items()}
        return encryption.key_ring(held.pop("current", ""), held)
    except ValueError as error:
        problem = str(error) if type(error) is ValueError else "It is not a JSON object of strings."
        raise InvalidKeys(f"The keys of webhook secrets cannot be used. {problem}") from None


def _text_of(arn: str, *, renewed: bool = False) -> str:
    # Imported here because it loads boto3, which costs more than the rest of the start-up.
    from aws_lambda_powertools.utilities import parameters

    return parameters.get_secret(arn, max_age=SECRET_AGE_SECONDS_MAX, force_fetch=renewed)
