"""Stripe's SDK, configured the same way everywhere, and its errors translated into ours.

    client = stripe_client.connect(secrets.stripe_key(), base=settings.current().stripe_api_base)
    with stripe_client.calling():
        intent = client.v1.payment_intents.create(params, {"idempotency_key": key})

Every write carries an idempotency key of the thing and not of the attempt, so that it can be sent again after any
failure. The SDK is imported on first use, because the import takes a quarter of a second.
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe._stripe_object import StripeObject

API_VERSION = "2026-10-28.endive"
API_BASE = "https://api.stripe.com"
CONNECT_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 8.0
RETRIES_MAX = 2
WAITED_FOR_ANSWER_SECONDS_MAX = 6.0
WAITED_FOR_RETRIES_MAX = 1


class StripeUnavailable(Exception):
    """Stripe cannot be reached, or rejects our key: the outcome of the request is unknown. Send it again later."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class NotPermitted(StripeUnavailable):
    """Our key may not do this, or not for this connected account."""


class StripeRefused(Exception):
    """Stripe rejects the request for good: it is wrong, or the thing's state does not allow it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class CardDeclined(StripeRefused):
    """The customer's bank rejects the payment; another means of payment may work."""

    def __init__(self, code: str, message: str, decline_code: str | None) -> None:
        super().__init__(code, message)
        self.decline_code = decline_code


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


def connect_waited_for(api_key: SecretStr, *, base: str | None = None) -> "StripeClient":
    """Connect for a waiting customer: two attempts must fit into API Gateway's time-out."""
    return connect(
        api_key, base=base, answer_seconds_max=WAITED_FOR_ANSWER_SECONDS_MAX, retries_max=WAITED_FOR_RETRIES_MAX
    )


@contextlib.contextmanager
def calling() -> Iterator[None]:
    """Translate the SDK's errors into StripeUnavailable (also NotPermitted), CardDeclined or StripeRefused."""
    import stripe

    try:
        yield
    except stripe.CardError as error:
        details: Any = error.error
        raise CardDeclined(*_said(error), decline_code=getattr(details, "decline_code", None)) from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise StripeRefused(*_said(error)) from error
    except stripe.RateLimitError as error:
        raise StripeUnavailable("rate_limited", _said(error)[1]) from error
    except stripe.APIConnectionError as error:
        raise StripeUnavailable("unreachable", type(error.__cause__).__name__) from error
    except stripe.PermissionError as error:
        raise NotPermitted("key_refused", _said(error)[1]) from error
    except stripe.AuthenticationError as error:
        raise StripeUnavailable("key_refused", _said(error)[1]) from error
    except stripe.APIError as error:
        raise StripeUnavailable("failing", f"{error.http_status} {_said(error)[1]}") from error


def plain(thing: "StripeObject") -> dict[str, Any]:
    """Return an object of Stripe's SDK as plain JSON, including nested objects."""
    return dict(thing.to_dict(recursive=True))


def _said(error: Any) -> tuple[str, str]:
    """Return Stripe's code for an error and its sentence, which names no secret but may name ids."""
    code = error.code or getattr(error.error, "type", None) or type(error).__name__
    return str(code), str(error.user_message or error)


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
