"""Currencies, their minimum amounts, and the format of amounts."""

from local.stripe.errors import invalid
from local.stripe.parameters import Text

CURRENCY = Text(longest=3)
AMOUNT_MAX = 99_999_999
AMOUNT_MIN = {
    "chf": 50, "eur": 50, "usd": 50, "gbp": 30, "aud": 50, "cad": 50, "dkk": 250, "nok": 300, "sek": 300, "pln": 200,
    "czk": 1500, "huf": 17500, "jpy": 50,
}  # fmt: skip
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def currency(code: str, param: str = "currency") -> str:
    """Return a currency's code in lower case. Raises Refused for an unknown one."""
    lower = code.lower()
    if lower not in AMOUNT_MIN:
        known = ", ".join(sorted(AMOUNT_MIN))
        raise invalid(f"Invalid currency: {lower}. Stripe currently supports these currencies: {known}", param=param)
    return lower


def written(amount: int, code: str) -> str:
    """Return an amount in the format of messages: $10.00, 10.00 chf."""
    text = str(amount) if code == "jpy" else f"{amount / 100:,.2f}"
    return f"{SIGNS[code]}{text}" if code in SIGNS else f"{text} {code}"


def check_charge(amount: int, code: str) -> None:
    """Refuse an amount that is too small or too large for a charge."""
    if amount > AMOUNT_MAX:
        raise invalid(
            f"Amount must be no more than {written(AMOUNT_MAX, code)}", code="amount_too_large", param="amount"
        )
    if amount < AMOUNT_MIN[code]:
        raise invalid(
            f"Amount must be at least {written(AMOUNT_MIN[code], code)}", code="amount_too_small", param="amount"
        )
