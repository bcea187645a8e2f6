"""Verify access tokens: JWTs of the configured issuer, and the caller that they name.

Any OIDC issuer serves. Tokens are signed with RS256 or ES256 by a key that the issuer publishes (JWKS) under the
token's `kid`. `iss`, `aud`, `exp` and `nbf` are checked with a minute's leeway, and `sub` is required. Keys are cached
for ten minutes. A token that names an unknown key has them fetched again, at most every half minute.

A subject that is a UUID in its canonical form (lower case, with hyphens) is used as it is. Every other subject is
hashed to an id, a UUID of version 5. A subject that is itself a UUID of version 5 is hashed too, because it could be
the id of another subject. So two subjects never name the same person. An issuer whose subjects are all UUIDs can be
configured as such. Then each is the caller's id, of any version, and other subjects are refused.

The claim `email` is kept only when the token says that the address is verified, or when the issuer is configured as
one that always verifies. It must be an address that mailers can write. `iat` is kept with it, so that an older token
never replaces the address of a newer one.
"""

import functools
import http.client
import ipaddress
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import jwt
from jwt import PyJWKClient

from marquee.core.identity import Caller, Role
from marquee.core.text_types import ADDRESS_LENGTH_MAX, is_address

ALGORITHMS = ("RS256", "ES256")
LEEWAY_SECONDS = 60
TOKEN_LENGTH_MAX = 8192
KEYS_AGE_SECONDS_MAX = 600
KEYS_REFRESH_SECONDS_MIN = 30
FETCH_SECONDS_MAX = 3
FETCH_BYTES_MAX = 1024 * 1024
HASHED_VERSION = 5
MOMENT_MAX = 253_402_300_799
"""The last second of the year 9999."""

_ROLES: dict[str, Role] = {"authenticated": "authenticated", "service_role": "service_role"}
_CLAIMS_KEPT = {"email": ADDRESS_LENGTH_MAX, "name": 200, "locale": 35, "zoneinfo": 100}
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

Subjects = Literal["any", "uuid"]
"""The subjects of an issuer: any text, or UUIDs only."""


class InvalidToken(Exception):
    """The token does not prove the caller's identity. The reason is for logs, not for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysUnavailable(Exception):
    """The issuer's keys are not available, so no token can be verified."""


class Verifier:
    """Verifies the tokens of one issuer for one audience."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        jwks_url: str | None,
        *,
        emails_verified: bool = False,
        subjects: Subjects = "any",
    ) -> None:
        """Create a verifier. `jwks_url` is the address of the keys; None reads it from the issuer's discovery document.

        `emails_verified` means that the issuer verifies every address, even if a token does not say so.
        """
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._emails_verified = emails_verified
        self._subjects = subjects
        self._keys: _Keys | None = None

    def verify(self, token: str) -> Caller:
        """Return the token's caller. Raises InvalidToken, or KeysUnavailable if the keys cannot be fetched."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise InvalidToken("TokenTooLong")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:  # before any key is fetched
                raise InvalidToken("InvalidAlgorithm")
            if not isinstance(header.get("kid"), str):
                raise InvalidToken("MissingKeyId")
            claims = jwt.decode(
                token,
                self._key(header["kid"]),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise InvalidToken(type(error).__name__) from error
        return self._caller(claims)

    def _key(self, kid: str) -> jwt.PyJWK:
        if self._keys is None:
            self._keys = _Keys(self._jwks_url or _discovered(self._issuer))
        try:
            return self._keys.get_signing_key(kid)
        except jwt.PyJWKSetError as error:
            raise KeysUnavailable("The issuer publishes no usable keys.") from error
        except jwt.PyJWKClientError as error:
            raise InvalidToken("UnknownKey") from error

    def _caller(self, claims: dict[str, Any]) -> Caller:
        subject, role = claims["sub"], claims.get("role", "authenticated")
        if not isinstance(role, str) or role not in _ROLES:
            raise InvalidToken("UnknownRole")
        if not subject or not _storable(subject, TOKEN_LENGTH_MAX):
            raise InvalidToken("InvalidSubject")
        kept: dict[str, Any] = {
            name: claims[name] for name, most in _CLAIMS_KEPT.items() if _storable(claims.get(name), most)
        }
        if "email" in kept:
            said = claims.get("email_verified")
            if is_address(kept["email"]) and (self._emails_verified or said is True or said == "true"):
                kept["email_verified"] = True
                if _is_moment(claims.get("iat")):
                    kept["iat"] = claims["iat"]
            else:
                del kept["email"]
        return Caller(
            id=self._id(subject),
            role=_ROLES[role],
            org_id=_uuid(claims.get("org_id")),
            claims=kept,
        )

    def _id(self, subject: str) -> UUID:
        """Return the id of a subject, which is no other subject's."""
        canonical = _uuid(subject)
        if self._subjects == "uuid":
            if canonical is None:
                raise InvalidToken("SubjectIsNoUuid")
            return canonical
        if canonical is None or canonical.version == HASHED_VERSION:
            return uuid5(NAMESPACE_URL, f"{self._issuer}#{subject}")
        return canonical


@functools.cache
def verifier(
    issuer: str,
    audience: str,
    jwks_url: str | None,
    *,
    emails_verified: bool = False,
    subjects: Subjects = "any",
) -> Verifier:
    """Return the verifier for these settings.

    It is kept, with its keys, for the lifetime of the execution environment.
    """
    return Verifier(issuer, audience, jwks_url, emails_verified=emails_verified, subjects=subjects)


def bearer(event: Mapping[str, Any]) -> str:
    """Return the token of an authorizer event's Authorization header.

    Raises InvalidToken unless there is exactly one.
    """
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    values = [value for name, many in headers.items() if name.lower() == "authorization" for value in many]
    scheme, _, token = values[0].strip().partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("MissingToken")
    return str(token.strip())


class _Keys(PyJWKClient):
    """PyJWT's client with this project's bounds on fetches."""

    def __init__(self, url: str) -> None:
        _check(url)
        super().__init__(url, lifespan=KEYS_AGE_SECONDS_MAX, cooldown_duration=KEYS_REFRESH_SECONDS_MIN)

    def fetch_data(self) -> Any:
        data = _fetched(self.uri)
        self._last_successful_fetch = time.monotonic()
        keys = data.get("keys")
        return {**data, "keys": [key for key in keys if _verifies(key)] if isinstance(keys, list) else keys}


def _verifies(key: Any) -> bool:
    """Return whether a JWK may verify tokens, by its use, its operations and its algorithm."""
    if not isinstance(key, dict) or key.get("use", "sig") != "sig" or key.get("alg", "RS256") not in ALGORITHMS:
        return False
    operations = key.get("key_ops", ["verify"])
    return isinstance(operations, list) and "verify" in operations


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _discovered(issuer: str) -> str:
    """Return the address of an issuer's keys, by OpenID Connect Discovery."""
    document = _fetched(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer or not isinstance(document.get("jwks_uri"), str):
        raise KeysUnavailable("The discovery document is not this issuer's.")
    return str(document["jwks_uri"])


def _fetched(url: str) -> dict[str, Any]:
    """Fetch a JSON object: over https (http only from this machine), no redirects, bounded in size and time.

    Raises KeysUnavailable.
    """
    _check(url)
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if _is_loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))
    deadline, content = time.monotonic() + FETCH_SECONDS_MAX, b""
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=FETCH_SECONDS_MAX) as response:
            while chunk := response.read1(65536):
                content += chunk
                if len(content) > FETCH_BYTES_MAX or time.monotonic() > deadline:
                    raise KeysUnavailable("The response is too long or too slow.")
        document = json.loads(content)
    except urllib.error.HTTPError as error:
        error.close()
        raise KeysUnavailable(f"The issuer responded {error.code}.") from error
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"The issuer cannot be reached: {type(error).__name__}.") from error
    if not isinstance(document, dict):
        raise KeysUnavailable("The issuer did not respond with a JSON object.")
    return document


def _check(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and _is_loopback(url)):
        raise KeysUnavailable("Keys are fetched only over https, or from this machine.")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _storable(value: Any, length_max: int) -> bool:
    """Return whether a claim is text that PostgreSQL can store."""
    if not isinstance(value, str) or len(value) > length_max or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_moment(value: Any) -> bool:
    """Return whether a claim is a time that PostgreSQL can store, in seconds since 1970."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOMENT_MAX


def _uuid(value: Any) -> UUID | None:
    return UUID(value) if isinstance(value, str) and _CANONICAL_UUID.fullmatch(value) else None
