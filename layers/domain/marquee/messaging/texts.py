"""Texts from templates: templates/<language>/<topic>.txt, the subject, an empty line, the body.

A line that begins with `?name ` is there only if the text has a value of that name. Every other name that a template
uses must have one: a text with a gap is never sent.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from string import Template
from typing import Any

from marquee.messaging import languages

SUBJECT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody is told."""

    subject: str
    body: str


def write(topic: str, language: str, name: str | None, payload: Mapping[str, Any], facts: Mapping[str, Any]) -> Text:
    """The text about a happening for one person, from its payload and the facts that belong to it.

    Raises KeyError if the template wants what neither has.
    """
    values = _values(languages.of(language), name, payload, facts)
    subject, _, body = _template(languages.of(language), topic).partition("\n\n")
    lines = [line for line in (_chosen(line, values) for line in body.splitlines()) if line is not None]
    return Text(
        subject=" ".join(Template(subject).substitute(values).split())[:SUBJECT_LENGTH_MAX],
        body=Template("\n".join(lines)).substitute(values).strip() + "\n",
    )


@functools.cache
def _template(language: str, topic: str) -> str:
    return resources.files(__package__).joinpath("templates", language, f"{topic}.txt").read_text(encoding="utf-8")


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
    if "seats" in payload:
        values["seats"] = languages.seats(language, payload["seats"])
    if payload.get("fee_cents"):
        values["fee"] = languages.money(language, payload["fee_cents"], payload["currency"])
    return values | _alternatives(payload)


def _alternatives(payload: Mapping[str, Any]) -> dict[str, str]:
    """Of two lines that exclude each other, the one to be there."""
    by_organizer, left_waitlist = bool(payload.get("by_organizer")), bool(payload.get("left_waitlist"))
    alternatives = {
        "by_organizer": by_organizer,
        "by_you": not by_organizer,
        "not_by_organizer": not by_organizer,
        "left_waitlist": left_waitlist,
        "still_waiting": not left_waitlist,
    }
    return {name: "yes" if holds else "" for name, holds in alternatives.items()}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
