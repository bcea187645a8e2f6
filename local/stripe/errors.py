"""Refusals in the form of Stripe's API."""

from collections.abc import Collection, Mapping
from typing import Any

DOCS = "https://docs.stripe.com/error-codes"


class Refused(Exception):
    """A response other than 200.

    `kept` means that the changes of the request up to then are committed (a declined payment leaves its intent behind).
    `begun` means that the operation had started, so that its response belongs to its idempotency key.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, kept: bool = False, begun: bool = True, **details: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.begun = begun
        self.headers: dict[str, str] = {}
        self._error = {name: value for name, value in details.items() if value is not None}
        if "code" in self._error:
            self._error["doc_url"] = f"{DOCS}/{str(self._error['code']).replace('_', '-')}"
        self._error |= {"message": message, "type": kind}

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the document of the response."""
        log = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": dict(sorted({**self._error, "request_log_url": log}.items()))}

    def hiding(self, fields: Collection[str]) -> "Refused":
        """Return the refusal with only these fields of its intent."""
        intent = self._error.get("payment_intent")
        if isinstance(intent, dict):
            self._error["payment_intent"] = {name: value for name, value in intent.items() if name in fields}
        return self


def invalid(message: str, *, code: str | None = None, param: str | None = None, status: int = 400) -> Refused:
    """Return the refusal of an impossible request."""
    return Refused(status, "invalid_request_error", message, code=code, param=param)


def malformed(message: str, *, code: str | None = None, param: str | None = None) -> Refused:
    """Return the refusal of wrong parameters: the operation does not start."""
    return Refused(400, "invalid_request_error", message, begun=False, code=code, param=param)


def unknown(kind: str, id: str, param: str | None) -> Refused:
    """Return the refusal of an unknown object, or of one in another account."""
    return invalid(f"No such {kind}: '{id}'", code="resource_missing", param=param, status=404)


def unauthenticated(message: str) -> Refused:
    """Return the refusal of a missing or wrong key."""
    refusal = Refused(401, "invalid_request_error", message, begun=False)
    refusal.headers["WWW-Authenticate"] = 'Bearer realm="Stripe"'
    return refusal


def forbidden(account: str, key: str) -> Refused:
    """Return the refusal of an unknown account in Stripe-Account."""
    shown = f"{key[:8]}{'*' * 8}{key[-4:]}"
    return Refused(
        403,
        "invalid_request_error",
        f"The provided key '{shown}' does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked.",
        begun=False,
        code="account_invalid",
    )


def unrecognized(method: str, path: str) -> Refused:
    """Return the refusal of an unknown method and path."""
    return Refused(
        404,
        "invalid_request_error",
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        begun=False,
    )


def declined(message: str, *, code: str, objects: Mapping[str, Any], decline_code: str | None = None) -> Refused:
    """Return the refusal of a card; `objects` are the intent, the payment method and the charge in the error."""
    return Refused(402, "card_error", message, kept=True, code=code, decline_code=decline_code, **objects)


def unexpected_state(message: str, payment_intent: Any) -> Refused:
    """Return the refusal for an intent whose status does not allow the request."""
    return Refused(
        400,
        "invalid_request_error",
        message,
        code="payment_intent_unexpected_state",
        payment_intent=payment_intent,
    )


def too_many(message: str, code: str) -> Refused:
    """Return the refusal of too many requests, or for an object in use."""
    refusal = Refused(429, "invalid_request_error", message, begun=False, code=code)
    if code == "lock_timeout":
        refusal.headers["Stripe-Should-Retry"] = "true"
    else:
        refusal.headers["Stripe-Rate-Limited-Reason"] = "global-rate"
    return refusal


def broken(status: int, *, begun: bool) -> Refused:
    """Return a fault on Stripe's side."""
    return Refused(status, "api_error", "An unknown error occurred.", begun=begun)
