"""Times, amounts and small phrases in the languages that people are told in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import dates, numbers

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """What the templates of a language need beside themselves."""

    locale: str
    greeting: str
    greeting_nameless: str
    seat: str
    seats: str


LANGUAGES = {
    "de": Language("de", "Guten Tag {name},", "Guten Tag,", "1 Platz", "{number} Plätze"),
    "en": Language("en_GB", "Hello {name},", "Hello,", "1 place", "{number} places"),
    "fr": Language("fr", "Bonjour {name},", "Bonjour,", "1 place", "{number} places"),
}


def of(code: str) -> str:
    """The language to write in for somebody who prefers this one."""
    return code if code in LANGUAGES else FALLBACK


def greeting(language: str, name: str | None) -> str:
    """How a text begins."""
    words = LANGUAGES[language]
    return words.greeting.format(name=name) if name else words.greeting_nameless


def seats(language: str, number: int) -> str:
    """1 place, 2 places."""
    words = LANGUAGES[language]
    return words.seat if number == 1 else words.seats.format(number=number)


def money(language: str, cents: int, currency: str) -> str:
    """An amount in the currency's smallest unit, written out."""
    places = numbers.get_currency_precision(currency)
    return numbers.format_currency(Decimal(cents).scaleb(-places), currency, locale=LANGUAGES[language].locale)


def span(language: str, starts_at: datetime, ends_at: datetime, time_zone: str) -> str:
    """From when to when, in the wall-clock time of the place: Monday, 3 March 2031, 18:00–19:00 (Europe/Zurich)."""
    zone = ZoneInfo(time_zone)
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if starts.date() == ends.date():
        return f"{_day(language, starts)}, {_time(language, starts)}–{_time(language, ends)} ({time_zone})"
    first, last = (f"{_day(language, each)}, {_time(language, each)}" for each in (starts, ends))
    return f"{first} – {last} ({time_zone})"


def moment(language: str, at: datetime, time_zone: str) -> str:
    """One time, as `span` writes it."""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{_day(language, local)}, {_time(language, local)} ({time_zone})"


def _day(language: str, local: datetime) -> str:
    return dates.format_date(local, "full", locale=LANGUAGES[language].locale)


def _time(language: str, local: datetime) -> str:
    # A naive time is written as it is; with its zone, Babel would want to convert it.
    return dates.format_time(local.time(), "short", locale=LANGUAGES[language].locale)
