"""Settings from the environment, validated and typed.

Read on use, never at import; validated once per set of values.
"""

import logging
import os
import ssl
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from marquee.core.identity import Role

_log = logging.getLogger(__name__)

SECRET_AGE_SECONDS_MAX = 300
LOOPBACK = ("localhost", "127.0.0.1", "::1")

Login = Literal["marquee_public", "marquee_people", "marquee_service"]

LOGINS: dict[Role, Login] = {
    "anon": "marquee_public",
    "authenticated": "marquee_people",
    "service_role": "marquee_service",
}
"""The database login of each role. A login may become this one role and no other."""

CERTIFICATES = Path(__file__).parent / "certificates"
SYSTEM_CERTIFICATES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem")


TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""The values of `sslmode`, from the weakest to the strongest."""


class MissingSetting(Exception):
    """A setting that this function needs is not in its environment."""


class UnsafeSetting(Exception):
    """A setting would connect to a database without a check of its identity."""


class Settings(BaseModel):
    """The environment variables of Marquee, by their names in lower case; an empty one counts as not set."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr | None = None
    database_public_secret_arn: str | None = None
    database_people_secret_arn: str | None = None
    database_service_secret_arn: str | None = None
    database_owner_secret_arn: str | None = None
    database_host: str | None = None
    database_tls: Literal["verify-full", "require"] = "verify-full"
    database_ca: str = "system"
    token_issuer: str | None = None
    token_audience: str | None = None
    token_jwks_url: str | None = None
    token_emails_verified: bool = False
    token_subjects: Literal["any", "uuid"] = "any"  # noqa: S105 - the form of subjects, not a password
    generate_queue_url: str | None = None
    relay_queue_url: str | None = None
    messages_queue_url: str | None = None
    messages_sender: str | None = None
    api_url: str | None = None
    deliver_queue_url: str | None = None
    exports_bucket: str | None = None
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
        """Return a required setting by its lower-case name. Raises MissingSetting if it is not set."""
        value = getattr(self, name)
        if value is None:
            raise MissingSetting(f"{name.upper()} is not set.")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class _DatabaseSecret(BaseModel):
    """A secret in the format of RDS. Secrets managed by RDS have no host and no database name.

    Other members are ignored.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr
    host: str | None = None
    port: int = Field(default=5432, ge=1, le=65535)
    dbname: str = "marquee"


def current() -> Settings:
    """Return the current settings; fast enough for every use."""
    return _validated(tuple(os.environ.get(name) or None for name in _NAMES))


def database_url() -> str | None:
    """Return DATABASE_URL if it is set. Every session needs it, so it is read without the other settings."""
    return os.environ.get("DATABASE_URL") or None


def database_conninfo(login: Login, *, renewed: bool = False) -> str:
    """Return the connection string of a login: by DATABASE_URL, else by the login's secret.

    A DATABASE_URL without a user serves all three logins; one with a user is used unchanged, for every caller.
    `renewed` fetches the secret again after a rotation. Raises MissingSetting for a login whose secret this function
    does not have.
    """
    url = database_url()
    if url is None:
        return _secret_conninfo(_setting_of(login), renewed=renewed)
    given = conninfo_to_dict(url)
    if given.get("user"):
        return verified_conninfo(url)
    if any(secret_arn(each) for each in LOGINS.values()):
        current().require(_setting_of(login))  # as in AWS, so that a missing permission is found locally
    return verified_conninfo(url, user=login)


def owner_conninfo() -> str:
    """Return the connection string of the database's owner, for migrations. The secret is fetched each time."""
    return verified_conninfo(database_url() or _secret_conninfo("database_owner_secret_arn", renewed=True))


def verified_conninfo(conninfo: str, **given: Any) -> str:
    """Return the connection string with TLS and verification of the server's identity.

    DATABASE_CA names the trusted certificates: `amazon` (RDS Proxy), `rds` (RDS and Aurora themselves), `system` (those
    of the operating system) or the path of a file. An `sslrootcert` in the string comes first. DATABASE_TLS=require
    encrypts without verification. A server on this machine is connected as the string says, by default without TLS.

    The host is judged as libpq finds it: `hostaddr` too, and both from PGHOST and PGHOSTADDR where the string has none.
    Raises UnsafeSetting for an `sslmode` weaker than DATABASE_TLS, and for a service file, because its content is not
    known here.
    """
    environment = {name: os.environ.get(f"PG{name.upper()}") for name in ("host", "hostaddr", "service")}
    parts: dict[str, Any] = {name: value for name, value in environment.items() if value}
    parts |= {**conninfo_to_dict(conninfo), **given}
    if parts.get("service"):
        raise UnsafeSetting("A service file hides the database's host. Write the host into the URL; unset PGSERVICE.")
    if _is_this_machine(str(parts.get("host") or ""), str(parts.get("hostaddr") or "")):
        return make_conninfo(**parts)
    settings = current()
    mode = _tls_mode(str(parts.get("sslmode") or settings.database_tls), settings.database_tls)
    # Without this, libpq tries Kerberos first, where it has a ticket, and then uses no TLS.
    parts |= {"sslmode": mode, "gssencmode": "disable"}
    if mode != "require" and not parts.get("sslrootcert"):
        parts["sslrootcert"] = _ca_file(settings.database_ca)
    return make_conninfo(**parts)


def _is_this_machine(hosts: str, addresses: str) -> bool:
    """Return whether every host and every address of a connection string is a socket or a loopback address.

    libpq connects to the address and uses the host only for verification, so both count.
    """
    here: tuple[str, ...] = ("", *LOOPBACK)
    if os.environ.get("AWS_SAM_LOCAL"):  # set by `sam local`: the name is the machine outside the container
        here = (*here, "host.docker.internal")
    return all(
        (host in here or host.startswith("/")) and (address == "" or address in LOOPBACK)
        for host, address in zip_longest(hosts.split(","), addresses.split(","), fillvalue="")
    )


def _tls_mode(asked: str, least: str) -> str:
    """Return the `sslmode` for a server elsewhere: the one that was asked for, and `least` or stronger."""
    if asked not in TLS_MODES:
        raise UnsafeSetting(f"The URL of the database has an unknown sslmode. Known are: {', '.join(TLS_MODES)}.")
    is_weaker = TLS_MODES.index(asked) < TLS_MODES.index(least)
    if is_weaker and least == "verify-full":
        raise UnsafeSetting(
            f"sslmode={asked} does not verify the database's identity. Remove it from the URL, and name the trusted"
            " certificates in DATABASE_CA. DATABASE_TLS=require permits encryption without verification."
        )
    mode = least if is_weaker else asked
    if mode != "verify-full":
        _log.warning("database_not_verified: sslmode=%s encrypts, but another server can pose as the database.", mode)
    return mode


def _secret_conninfo(setting: str, *, renewed: bool) -> str:
    # Imported here because it loads boto3, which costs more than the rest of the start-up and is not needed with a URL.
    from aws_lambda_powertools.utilities import parameters

    settings = current()
    text = parameters.get_secret(settings.require(setting), max_age=SECRET_AGE_SECONDS_MAX, force_fetch=renewed)
    secret = _DatabaseSecret.model_validate_json(text)
    return verified_conninfo(
        "",
        user=secret.username,
        password=secret.password.get_secret_value(),
        host=settings.database_host or secret.host or settings.require("database_host"),
        port=secret.port,
        dbname=secret.dbname,
    )


def secret_arn(login: Login) -> str | None:
    """Return the ARN of a login's secret, if this function has it."""
    arn: str | None = getattr(current(), _setting_of(login))
    return arn


def _setting_of(login: Login) -> str:
    return f"database_{login.removeprefix('marquee_')}_secret_arn"


def _ca_file(name: str) -> str:
    """Return the file of trusted certificates for DATABASE_CA. Raises MissingSetting if it does not exist."""
    if name == "system":
        candidates = [ssl.get_default_verify_paths().cafile or "", *SYSTEM_CERTIFICATES]
    else:
        candidates = [str(CERTIFICATES / f"{name}.pem") if name in ("amazon", "rds") else name]
    for candidate in candidates:
        if Path(candidate).is_file():
            return candidate
    raise MissingSetting(
        f"DATABASE_CA={name} names no file of certificates. Set it to amazon, rds, system or the path of a PEM file."
    )


_NAMES = tuple(name.upper() for name in Settings.model_fields)


@lru_cache(maxsize=8)
def _validated(values: tuple[str | None, ...]) -> Settings:
    given = {name.lower(): value for name, value in zip(_NAMES, values, strict=True) if value is not None}
    return Settings.model_validate(given)
