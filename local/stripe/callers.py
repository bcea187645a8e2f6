"""The caller: the key in a request, and the account that it acts for."""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from local.stripe.errors import forbidden, unauthenticated
from local.stripe.store import Store

_SECRET = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]{8,}")
_PUBLISHABLE = re.compile(r"pk_test_[A-Za-z0-9_]{8,}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account of a request, and whether its key is only publishable."""

    account: str
    publishable: bool


def recognized(
    headers: Mapping[str, str], form_key: str | None, keys: Collection[str], platform: str, store: Store
) -> Caller:
    """Return the caller. `keys`: the valid ones; if empty, any test key is valid. Raises Refused."""
    key = _key(headers.get("Authorization", "")) or form_key
    if not key:
        raise unauthenticated(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication "
            "for details, or we can help at https://support.stripe.com/."
        )
    publishable = bool(_PUBLISHABLE.fullmatch(key))
    if not publishable and not (key in keys if keys else _SECRET.fullmatch(key)):
        raise unauthenticated(f"Invalid API Key provided: {key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}")
    account = headers.get("Stripe-Account", platform)
    if account != platform and store.get(platform, "account", account) is None:
        raise forbidden(account, key)
    return Caller(account, publishable)


def _key(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None
