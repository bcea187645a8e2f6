"""Secrets by name, read on first use, never from environment variables."""

from pydantic import BaseModel, ConfigDict, SecretStr

SECRET_AGE_SECONDS_MAX = 300


class Login(BaseModel):
    """A user of the database and the password that the secret has for it; other members do not count."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr


def login(arn: str, *, renewed: bool = False) -> Login:
    """The login that a secret holds, at most five minutes old; `renewed` asks for it anew."""
    # Imported here: it brings boto3, which costs more than the rest of the start-up.
    from aws_lambda_powertools.utilities import parameters

    return Login.model_validate_json(parameters.get_secret(arn, max_age=SECRET_AGE_SECONDS_MAX, force_fetch=renewed))
