"""Formats of dates, times, amounts and percentages in each language."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from babel import dates, numbers

LOCALES: Mapping[str, str] = {"de": "de", "en": "en_GB", "fr": "fr", "it": "it"}
"""The languages of messages, by their codes, and the locale of each."""
FALLBACK = "en"

_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")  # CLDR separates them, Babel does not


def of(code: str) -> str:
    """Return the language of messages for a person who prefers this one."""
    return code if code in LOCALES else FALLBACK


def money(language: str, cents: int, currency: str) -> str:
    """Format an amount in the currency's smallest unit: CHF 40.00, 40,00 CHF, JP¥4,000."""
    places = numbers.get_currency_precision(currency)
    text = numbers.format_currency(Decimal(cents).scaleb(-places), currency, locale=LOCALES[language])
    return _LETTER_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def number(language: str, whole: int) -> str:
    """Format a whole number: 12,000 in English, 12.000 in German."""
    text: str = numbers.format_decimal(whole, locale=LOCALES[language])
    return text


def percent(language: str, bps: int) -> str:
    """Format hundredths of a percent with as many places as they need: 8.1%, 8,1 %, 20%."""
    return numbers.format_percent(Decimal(bps).scaleb(-4), locale=LOCALES[language], decimal_quantization=False)


def day(language: str, local: date) -> str:
    """Format a day with its weekday: Monday, 3 March 2031."""
    return dates.format_date(local, "full", locale=LOCALES[language])


def time(language: str, local: datetime) -> str:
    """Format a time of day: 18:00."""
    # Without the zone, because Babel would convert a time that has one.
    return dates.format_time(local.time(), "short", locale=LOCALES[language])


def day_and_time(language: str, local: datetime) -> str:
    """Format a day and a time of day: Monday, 3 March 2031, 18:00."""
    return f"{day(language, local)}, {time(language, local)}"
