"""Texts from templates: templates/<language>/<topic>.txt, the subject, an empty line, the body.

A line that begins with `?name ` is there only if the text has a value of that name. Every other name that a template
uses must have one: a text with a gap is never sent.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

from marquee.core import locales
from marquee.messaging import languages

SUBJECT_LENGTH_MAX = 200
AMOUNTS = frozenset({"amount_cents", "fee_cents", "ledger_cents", "stripe_cents"})
"""Names of amounts in the currency's smallest unit; a template names them without `_cents`."""
DAYS = frozenset({"due_on", "expires_on"})
"""Names of days, which a template names as they are."""
DISPUTES = {
    "needs_response": "open",
    "warning_needs_response": "open",
    "under_review": "reviewed",
    "warning_under_review": "reviewed",
    "won": "won",
    "lost": "lost",
}
"""What Stripe's states of a dispute mean to the organizer; all others mean that it goes on somehow."""


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody is told."""

    subject: str
    body: str


def write(topic: str, language: str, name: str | None, payload: Mapping[str, Any], facts: Mapping[str, Any]) -> Text:
    """The text about a happening for one person, from its payload and the facts that belong to it.

    In English where the language has no text for it. Raises KeyError if the template wants what neither has.
    """
    written_in = language_of(topic, language)
    values = _values(written_in, name, payload, facts)
    subject, _, body = _template(written_in, topic).partition("\n\n")
    lines = [line for line in (_chosen(line, values) for line in body.splitlines()) if line is not None]
    return Text(
        subject=" ".join(Template(subject).substitute(values).split())[:SUBJECT_LENGTH_MAX],
        body=Template("\n".join(lines)).substitute(values).strip() + "\n",
    )


@functools.cache
def language_of(topic: str, preferred: str) -> str:
    """The language in which somebody who prefers this one is told of a topic: English where it has no text for it."""
    language = locales.of(preferred)
    return language if _file(language, topic).is_file() else locales.FALLBACK


def _file(language: str, topic: str) -> Traversable:
    return languages.TEMPLATES.joinpath(language, f"{topic}.txt")


@functools.cache
def _template(language: str, topic: str) -> str:
    return _file(language, topic).read_text(encoding="utf-8")


def _chosen(line: str, values: Mapping[str, str]) -> str | None:
    if not line.startswith("?"):
        return line
    name, _, rest = line[1:].partition(" ")
    return rest if values.get(name) else None


def _values(language: str, name: str | None, payload: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, str]:
    """Everything that a template can name, as words of the language."""
    values = {key: str(value) for key, value in {**facts, **payload}.items() if value is not None}
    values["greeting"] = languages.greeting(language, name)
    time_zone = facts.get("time_zone")
    if facts.get("starts_at") and facts.get("ends_at") and time_zone:
        starts_at, ends_at = _time(facts["starts_at"]), _time(facts["ends_at"])
        values["when"] = languages.span(language, starts_at, ends_at, time_zone)
        previous = payload.get("previous_starts_at")
        if previous and _time(previous) != starts_at:
            values["previously"] = languages.moment(language, _time(previous), time_zone)
    if payload.get("offer_expires_at") and time_zone:
        values["offer_until"] = languages.moment(language, _time(payload["offer_expires_at"]), time_zone)
    for day in DAYS & payload.keys():
        values[day] = locales.day(language, date.fromisoformat(payload[day]))
    if "seats" in payload:
        values["seats"] = languages.seats(language, payload["seats"])
    return values | _amounts(language, {**facts, **payload}) | _alternatives(payload)


def _amounts(language: str, known: Mapping[str, Any]) -> dict[str, str]:
    """What is known of money, in words: whatever is in the currency's smallest unit."""
    amounts = {
        name.removesuffix("_cents"): locales.money(language, cents, known["currency"])
        for name, cents in known.items()
        if name in AMOUNTS and cents is not None
    }
    if not known.get("fee_cents"):
        amounts.pop("fee", None)
    if known.get("price_cents") is not None:
        method = known.get("payment_method")
        amounts["price"] = languages.price(language, known["price_cents"], known["currency"], method)
    return amounts


def _alternatives(payload: Mapping[str, Any]) -> dict[str, str]:
    """Of lines that exclude each other, the one to be there."""
    dispute = DISPUTES.get(payload.get("status", ""), "other")
    by_organizer, left_waitlist = bool(payload.get("by_organizer")), bool(payload.get("left_waitlist"))
    alternatives = {
        "by_organizer": by_organizer,
        "by_you": not by_organizer,
        "not_by_organizer": not by_organizer,
        "left_waitlist": left_waitlist,
        "still_waiting": not left_waitlist,
        **{f"to_{way}": payload.get("destination") == way for way in ("original", "wallet", "invoice", "dispute")},
        **{f"dispute_{state}": dispute == state for state in ("open", "reviewed", "won", "lost", "other")},
        **{why: payload.get("reason") == why for why in ("not_in_ledger", "not_at_stripe", "amount_differs")},
    }
    return {name: "yes" if holds else "" for name, holds in alternatives.items()}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
