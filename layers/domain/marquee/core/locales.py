"""Dates, times, amounts and percentages as each language writes them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from babel import dates, numbers

LOCALES: Mapping[str, str] = {"de": "de", "en": "en_GB", "fr": "fr", "it": "it"}
"""The languages that people are written to in, by their codes, and whose forms each of them takes."""
FALLBACK = "en"

_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")  # CLDR parts them; Babel leaves them together


def of(code: str) -> str:
    """The language to write in for somebody who prefers this one."""
    return code if code in LOCALES else FALLBACK


def money(language: str, cents: int, currency: str) -> str:
    """An amount in the currency's smallest unit, written out: CHF 40.00, 40,00 CHF, JP¥4,000."""
    places = numbers.get_currency_precision(currency)
    text = numbers.format_currency(Decimal(cents).scaleb(-places), currency, locale=LOCALES[language])
    return _LETTER_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def number(language: str, whole: int) -> str:
    """Format a whole number: 12,000 in English, 12.000 in German."""
    text: str = numbers.format_decimal(whole, locale=LOCALES[language])
    return text


def percent(language: str, bps: int) -> str:
    """Hundredths of a percent, written out with as many places as they need: 8.1%, 8,1 %, 20%."""
    return numbers.format_percent(Decimal(bps).scaleb(-4), locale=LOCALES[language], decimal_quantization=False)


def day(language: str, local: date) -> str:
    """A day, with its weekday: Monday, 3 March 2031."""
    return dates.format_date(local, "full", locale=LOCALES[language])


def time(language: str, local: datetime) -> str:
    """A time on the clock: 18:00."""
    # A naive time is written as it is; with its zone, Babel would want to convert it.
    return dates.format_time(local.time(), "short", locale=LOCALES[language])


def day_and_time(language: str, local: datetime) -> str:
    """A day and a time on the clock: Monday, 3 March 2031, 18:00."""
    return f"{day(language, local)}, {time(language, local)}"
