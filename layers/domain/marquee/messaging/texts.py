"""Messages from templates: templates/<language>/<topic>.jinja, a Jinja2 template with the blocks of a layout.

The layouts beside the languages make three things of one template: the subject, the plain text and the HTML.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from marquee.core import locales, templates
from marquee.messaging import languages

if TYPE_CHECKING:
    from jinja2 import Environment

SUBJECT_LENGTH_MAX = 200
OPTIONAL = frozenset(
    {
        "booking_id",
        "by_organizer",
        "currency",
        "customer",
        "destination",
        "expires_on",
        "failing_since",
        "fee_cents",
        "gone",
        "instructor",
        "inviter",
        "left_waitlist",
        "organization",
        "payment_method",
        "place",
        "previous_starts_at",
        "price_cents",
        "purchase_id",
        "reason",
        "starts_at",
        "title",
        "why",
    }
)
"""Values that a template may test for. Any other name that a template uses must have a value."""
TYPES: Mapping[str, Callable[[str], Any]] = {
    "due_on": date.fromisoformat,
    "ends_at": datetime.fromisoformat,
    "expires_on": date.fromisoformat,
    "offer_expires_at": datetime.fromisoformat,
    "previous_starts_at": datetime.fromisoformat,
    "starts_at": datetime.fromisoformat,
}
"""Values that arrive as text and are formatted as days and times."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_GAP = re.compile("\n{3,}")


@dataclass(frozen=True, slots=True)
class Text:
    """A message in one language: subject, plain text and HTML."""

    subject: str
    body: str
    html: str


def write(
    topic: str,
    language: str,
    name: str | None,
    payload: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    is_repeat: bool = False,
) -> Text:
    """Write the message about a row of the outbox for one person, from its payload and the facts about it.

    English replaces a language that lacks the topic. With `is_repeat`, the text warns of a possible earlier copy.
    Raises jinja2.UndefinedError or ValueError when the template prints a value that is missing.
    """
    written_in = language_of(topic, language)
    local_times = facts.get("local_times") or {}
    values = _values(written_in, name, {**facts, **payload, **local_times}) | {"is_repeat": is_repeat}

    def rendered(layout: str, *, is_html: bool = False) -> str:
        template = _environment(is_html=is_html).get_template(_file(written_in, topic))
        return template.render(values, layout=layout)

    return Text(
        subject=" ".join(rendered("layout.subject").split())[:SUBJECT_LENGTH_MAX],
        body=_GAP.sub("\n\n", rendered("layout.txt")).strip() + "\n",
        html=rendered("layout.html", is_html=True),
    )


@functools.cache
def language_of(topic: str, preferred: str) -> str:
    """Return the language in which a person with this preference reads a topic: English where it has no template."""
    language = locales.of(preferred)
    return language if languages.TEMPLATES.joinpath(_file(language, topic)).is_file() else locales.FALLBACK


def paragraphs(text: str) -> list[str]:
    """Split a text at its empty lines and join the lines of each paragraph. Markup stays markup."""
    space = type(text)(" ")
    joined = (space.join(line.strip(" ") for line in part.split("\n") if line) for part in text.split("\n\n"))
    return [paragraph.strip(" ") for paragraph in joined if paragraph.strip(" ")]


def _file(language: str, topic: str) -> str:
    return f"{language}/{topic}.jinja"


@functools.cache
def _environment(*, is_html: bool) -> "Environment":
    made = templates.environment(
        __package__,
        languages.TEMPLATES.name,
        is_html=is_html,
        filters={
            "moment": languages.moment,
            "places": languages.seats,
            "price": languages.price,
            "span": languages.span,
        },
    )
    made.filters["paragraphs"] = paragraphs
    return made


def _values(language: str, name: str | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return every value that a template can name: typed, and each text on one line.

    A line break in a title could otherwise add a line that looks like a fact of ours.
    """
    values = dict.fromkeys(OPTIONAL) | {key: _typed(key, value) for key, value in known.items() if value is not None}
    return values | {
        "language": language,
        "phrases": languages.LANGUAGES[language],
        "greeting": _one_line(languages.greeting(language, name)),
    }


def _typed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return TYPES[name](value) if name in TYPES else _one_line(value)


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text)
