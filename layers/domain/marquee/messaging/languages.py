"""Format spans of time, prices and phrases in the languages of messages."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable

from marquee.core import locales, time_zones

TEMPLATES = resources.files(__package__).joinpath("templates")


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases that a language's templates share: templates/<language>/phrases.toml."""

    greeting: str
    greeting_nameless: str
    regards: str
    colon: str
    seat: str
    seats: str
    led_by: str
    again: str
    paid: Mapping[str, str]


def _read(folder: Traversable) -> Language:
    return Language(**tomllib.loads(folder.joinpath("phrases.toml").read_text(encoding="utf-8")))


LANGUAGES = {folder.name: _read(folder) for folder in TEMPLATES.iterdir() if folder.is_dir()}
"""The languages of messages, by their codes: each is a folder."""


def greeting(language: str, name: str | None) -> str:
    """Return the first line of a text."""
    words = LANGUAGES[language]
    return words.greeting.format(name=name) if name else words.greeting_nameless


def seats(language: str, number: int) -> str:
    """Format a number of places: 1 place, 2 places."""
    words = LANGUAGES[language]
    return words.seat if number == 1 else words.seats.format(number=locales.number(language, number))


def price(language: str, cents: int, currency: str, method: str) -> str:
    """Format the paid amount and the method: CHF 40.00 (paid by card). Returns an empty text for a free booking."""
    paid = LANGUAGES[language].paid.get(method)
    if not cents:
        return paid if paid is not None and method == "pass" else ""
    amount = locales.money(language, cents, currency)
    return f"{amount} ({paid})" if paid else amount


def span(language: str, starts_at: datetime, ends_at: datetime, time_zone: str) -> str:
    """Format a span in the wall-clock time of the place: Monday, 3 March 2031, 18:00–19:00 (Europe/Zurich)."""
    starts, ends = _local(starts_at, time_zone), _local(ends_at, time_zone)
    if starts.date() == ends.date():
        return f"{locales.day_and_time(language, starts)}–{locales.time(language, ends)} ({time_zone})"
    first, last = (locales.day_and_time(language, each) for each in (starts, ends))
    return f"{first} – {last} ({time_zone})"


def moment(language: str, at: datetime, time_zone: str) -> str:
    """Format one time in the way of `span`."""
    return f"{locales.day_and_time(language, _local(at, time_zone))} ({time_zone})"


def _local(at: datetime, time_zone: str) -> datetime:
    """Return a time on the clock of the place; the database has converted a time without an offset already."""
    return at if at.tzinfo is None else at.astimezone(time_zones.zone(time_zone))
