"""The Stripe client of functions: the SDK with the key, the address and the time-outs of this environment.

    client = stripe.client()             # a customer waits for the response
    client = stripe.client(patient=True)  # a worker, which may wait and retry longer

The SDK is imported on first use, because the import takes a quarter of a second. Imports are absolute, so `stripe` is
the SDK in this module as well. marquee.payments.stripe_calls translates the errors of calls.
"""

import functools
from typing import TYPE_CHECKING

from pydantic import SecretStr

from marquee.core import settings
from marquee.edge import secrets

if TYPE_CHECKING:
    from stripe import StripeClient

API_VERSION = "2026-10-28.endive"
API_BASE = "https://api.stripe.com"
CONNECT_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 8.0
RETRIES_MAX = 2
WAITED_FOR_ANSWER_SECONDS_MAX = 6.0
WAITED_FOR_RETRIES_MAX = 1


def client(*, patient: bool = False) -> "StripeClient":
    """Return the client of Stripe or of the stand-in, for the configured key.

    By default, a customer waits for the response: two attempts fit into API Gateway's time-out.
    """
    key, base = secrets.stripe_key(), settings.current().stripe_api_base
    if patient:
        return connect(key, base=base)
    return connect(key, base=base, answer_seconds_max=WAITED_FOR_ANSWER_SECONDS_MAX, retries_max=WAITED_FOR_RETRIES_MAX)


def connect(
    api_key: SecretStr,
    *,
    base: str | None = None,
    answer_seconds_max: float = ANSWER_SECONDS_MAX,
    retries_max: int = RETRIES_MAX,
) -> "StripeClient":
    """Return the client of an API key, created once; `base` is the address of Stripe's API, if not Stripe's own.

    A call takes at most (3 s + `answer_seconds_max`) times (1 + `retries_max`), plus pauses of up to 2 s between
    attempts.
    """
    return _client(api_key.get_secret_value(), base or API_BASE, answer_seconds_max, retries_max)


@functools.lru_cache(maxsize=4)
def _client(api_key: str, base: str, answer_seconds_max: float, retries_max: int) -> "StripeClient":
    import stripe

    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base.rstrip("/")},
        max_network_retries=retries_max,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS_MAX, answer_seconds_max)),
    )
