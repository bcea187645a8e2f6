"""Stripe's test cards and their behaviour."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A card and its behaviour.

    `code` and `decline_code`: it is declined. `authenticates`: always, or only when the payer is not there (`off`).
    `refund`: its refunds wait (`pending`) or fail later (`fails`). `dispute`: reason of the dispute that follows.
    `available`: its money is available at once.
    """

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    code: str | None = None
    decline_code: str | None = None
    authenticates: bool = False
    refund: str = "succeeds"
    dispute: str | None = None
    inquiry: bool = False
    available: bool = False


def _declined(number: str, decline_code: str | None, code: str = "card_declined") -> Card:
    return Card(number, code=code, decline_code=decline_code)


CARDS = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", brand="mastercard"),
    "amex": Card("378282246310005", brand="amex"),
    "ch": Card("4000007560000009", country="CH"),
    "de": Card("4000002760000016", country="DE"),
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "visa_chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "visa_chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "visa_chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "visa_chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedFraudulent": _declined("4100000000000019", "fraudulent"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", None, "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", None, "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", None, "processing_error"),
    "chargeCustomerFail": _declined("4000000000000341", "generic_decline"),
    "threeDSecure2Required": Card("4000000000003220", authenticates=True),
    "threeDSecureRequired": Card("4000000000003063", authenticates=True),
    "authenticationRequired": Card("4000002760003184", authenticates=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", code="card_declined", decline_code="insufficient_funds", authenticates=True
    ),
    "refundFail": Card("4000000000005126", refund="fails"),
    "pendingRefund": Card("4000000000007726", refund="pending"),
    "bypassPending": Card("4000000000000077", available=True),
    "createDispute": Card("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": Card("4000000000001976", dispute="fraudulent", inquiry=True),
}  # fmt: skip
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def named(id: str, prefix: str) -> str | None:
    """Return the name of the test card of an id such as pm_card_visa or tok_visa; None for other ids."""
    name = id.removeprefix(prefix)
    return name if id.startswith(prefix) and name in CARDS else None


def numbered(number: str) -> str | None:
    """Return the name of the test card with a number."""
    plain = number.replace(" ", "")
    return next((name for name, card in CARDS.items() if card.number == plain), None)


def message(code: str, decline_code: str | None) -> str:
    """Return the message for the payer."""
    return MESSAGES.get(decline_code or code, "Your card was declined.")
