"""Refusals in the shape in which Stripe's API tells them."""

from collections.abc import Collection, Mapping
from typing import Any

DOCS = "https://docs.stripe.com/error-codes"


class Refused(Exception):
    """An answer other than 200.

    `kept` says that what the request had done until then stays (a declined payment leaves its intent behind);
    `begun` that the operation had begun, so that its answer belongs to its idempotency key.
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
        """The document of the answer."""
        log = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": dict(sorted({**self._error, "request_log_url": log}.items()))}

    def hiding(self, fields: Collection[str]) -> "Refused":
        """The same with only these fields of the intent that it carries."""
        intent = self._error.get("payment_intent")
        if isinstance(intent, dict):
            self._error["payment_intent"] = {name: value for name, value in intent.items() if name in fields}
        return self


def invalid(message: str, *, code: str | None = None, param: str | None = None, status: int = 400) -> Refused:
    """What was asked for cannot be done."""
    return Refused(status, "invalid_request_error", message, code=code, param=param)


def malformed(message: str, *, code: str | None = None, param: str | None = None) -> Refused:
    """The parameters are wrong in themselves: nothing begins."""
    return Refused(400, "invalid_request_error", message, begun=False, code=code, param=param)


def unknown(kind: str, id: str, param: str | None) -> Refused:
    """There is no such object, or not in this account."""
    return invalid(f"No such {kind}: '{id}'", code="resource_missing", param=param, status=404)


def unauthenticated(message: str) -> Refused:
    """The key is missing or wrong."""
    refusal = Refused(401, "invalid_request_error", message, begun=False)
    refusal.headers["WWW-Authenticate"] = 'Bearer realm="Stripe"'
    return refusal


def forbidden(account: str, key: str) -> Refused:
    """The account in Stripe-Account is not one of ours."""
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
    """No operation has this method and path."""
    return Refused(
        404,
        "invalid_request_error",
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        begun=False,
    )


def declined(message: str, *, code: str, objects: Mapping[str, Any], decline_code: str | None = None) -> Refused:
    """A card was refused; `objects` are the intent, the payment method and the charge that the error carries."""
    return Refused(402, "card_error", message, kept=True, code=code, decline_code=decline_code, **objects)


def unexpected_state(message: str, payment_intent: Any) -> Refused:
    """The intent's status does not allow this."""
    return Refused(
        400,
        "invalid_request_error",
        message,
        code="payment_intent_unexpected_state",
        payment_intent=payment_intent,
    )


def too_many(message: str, code: str) -> Refused:
    """Requests come too fast, or an object is in use."""
    refusal = Refused(429, "invalid_request_error", message, begun=False, code=code)
    if code == "lock_timeout":
        refusal.headers["Stripe-Should-Retry"] = "true"
    else:
        refusal.headers["Stripe-Rate-Limited-Reason"] = "global-rate"
    return refusal


def broken(status: int, *, begun: bool) -> Refused:
    """A fault on Stripe's side."""
    return Refused(status, "api_error", "An unknown error occurred.", begun=begun)
