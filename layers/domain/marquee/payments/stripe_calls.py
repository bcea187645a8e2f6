"""Calls of Stripe's SDK, with its errors translated into ours. The client is made by marquee.edge.stripe.

    with stripe_calls.calling():
        intent = client.v1.payment_intents.create(params, {"idempotency_key": key})

Every write carries an idempotency key of the thing and not of the attempt, so that it can be sent again after any
failure.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe._stripe_object import StripeObject


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


@contextlib.contextmanager
def calling() -> Iterator[None]:
    """Translate the SDK's errors into StripeUnavailable (also NotPermitted), CardDeclined or StripeRefused."""
    import stripe

    try:
        yield
    except stripe.CardError as error:
        details: Any = error.error
        raise CardDeclined(*_describe(error), decline_code=getattr(details, "decline_code", None)) from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise StripeRefused(*_describe(error)) from error
    except stripe.RateLimitError as error:
        raise StripeUnavailable("rate_limited", _describe(error)[1]) from error
    except stripe.APIConnectionError as error:
        raise StripeUnavailable("unreachable", type(error.__cause__).__name__) from error
    except stripe.PermissionError as error:
        raise NotPermitted("key_refused", _describe(error)[1]) from error
    except stripe.AuthenticationError as error:
        raise StripeUnavailable("key_refused", _describe(error)[1]) from error
    except stripe.APIError as error:
        raise StripeUnavailable("failing", f"{error.http_status} {_describe(error)[1]}") from error


def plain(thing: "StripeObject") -> dict[str, Any]:
    """Return an object of Stripe's SDK as plain JSON, including nested objects."""
    return dict(thing.to_dict(recursive=True))


def _describe(error: Any) -> tuple[str, str]:
    """Return Stripe's code for an error and its sentence, which names no secret but may name ids."""
    code = error.code or getattr(error.error, "type", None) or type(error).__name__
    return str(code), str(error.user_message or error)
