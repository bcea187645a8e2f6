"""Telling people what happened: a notification in the application, and an e-mail where there is an address.

Each person is told once per happening, however often it is delivered: the notification is unique by itself, and an
e-mail's delivery is written down as `sending` before it is sent and as `sent` after. A worker that dies in between, or
that gets no answer, leaves it open whether the e-mail went out; it is sent again, for twice is better than never, and
says so.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from marquee.catalog import calendars
from marquee.core import database, settings
from marquee.messaging import languages, texts
from marquee.messaging.happenings import Happening

LEASE_SECONDS = 120
NOTIFICATION_ONLY = frozenset({"booking.attended"})
WITH_CALENDAR = frozenset({"booking.confirmed", "booking.cancelled", "event.changed"})


class Undeliverable(Exception):
    """This address can't be written to, now or ever."""


class NotSent(Exception):
    """The e-mail was not taken just now, for sure; it may be tried again later."""


class InProgress(Exception):
    """Another worker is telling somebody of this just now; it is to be looked at again later."""


Send = Callable[[str, EmailMessage], str]
"""Sends an e-mail to an address and answers the provider's id of it. Raises Undeliverable or NotSent; any other fault
leaves it open whether it was sent."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a happening: to how many people it was for, and how many e-mails were sent and refused."""

    people: int = 0
    sent: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Person:
    user_id: UUID | None
    email: str | None
    name: str | None
    organization_id: UUID | None
    language: str
    facts: Mapping[str, Any]
    text: texts.Text


def tell_all(happenings: Sequence[Happening], send: Send, named: Callable[[str | None], None]) -> Told:
    """Tell of each happening, in order; `named` hears the name of the request that caused the one that comes next.

    One that fails spares those after it; afterwards its fault raises (the last one, with the others as its context).
    """
    outcomes: list[Told] = []

    def tell_one(happening: Happening) -> None:
        named(happening.correlation_id)
        outcomes.append(tell(happening, send))

    with contextlib.ExitStack() as each:
        for happening in reversed(happenings):
            each.callback(tell_one, happening)
    return Told(
        sum(told.people for told in outcomes),
        sum(told.sent for told in outcomes),
        sum(told.refused for told in outcomes),
    )


def tell(happening: Happening, send: Send) -> Told:
    """Tell everybody whom it concerns. Idempotent.

    Raises InProgress when an e-mail is in another worker's hands, and what `send` raises for a fault, after everybody
    before has been told.
    """
    sent, refused, busy = 0, 0, 0
    people = _audience(happening)
    for person in people:
        todo = _begin(happening, person)
        busy += todo == "busy"
        if todo in ("send", "send_again") and person.email is not None:
            message = _message(happening, person, is_again=todo == "send_again")
            delivered = _deliver(happening, person.email, message, send)
            sent, refused = sent + delivered, refused + (not delivered)
    if busy:
        raise InProgress(f"{busy} e-mails about {happening.id} are being sent by somebody else.")
    return Told(len(people), sent, refused)


def _audience(happening: Happening) -> list[_Person]:
    with database.single(database.service()) as session:
        rows = session.all(
            "select a.* from messaging.audience(topic => %s, payload => %s) as a", [happening.topic, happening.payload]
        )
    return [
        _Person(
            row["user_id"],
            None if happening.topic in NOTIFICATION_ONLY else row["email"],
            row["name"],
            row["organization_id"],
            texts.language_of(happening.topic, row["language"]),
            row["facts"],
            texts.write(happening.topic, row["language"], row["name"], happening.payload, row["facts"]),
        )
        for row in rows
    ]


def _begin(happening: Happening, person: _Person) -> str:
    with database.single(database.service()) as session:
        todo: str = session.value(
            """
            select messaging.begin_telling(
                outbox_id => %s, topic => %s, user_id => %s, organization_id => %s, subject => %s, body => %s,
                email => %s, lease_seconds => %s
            )
            """,
            [
                happening.id,
                happening.topic,
                person.user_id,
                person.organization_id,
                person.text.subject,
                person.text.body,
                person.email,
                LEASE_SECONDS,
            ],
        )
    return todo


def _message(happening: Happening, person: _Person, *, is_again: bool) -> EmailMessage:
    """Return the e-mail as plain text and HTML, with the booking as a calendar entry where it is about one."""
    message, text = EmailMessage(), person.text
    message["Subject"] = text.subject
    message["Auto-Submitted"] = "auto-generated"
    if is_again:
        message["X-Marquee-Retry"] = "yes"
        text = texts.write(
            happening.topic, person.language, person.name, happening.payload, person.facts, is_repeat=True
        )
    message.set_content(text.body, cte="quoted-printable")  # SES accepts 7-bit content only
    message.add_alternative(text.html, subtype="html", cte="quoted-printable")
    entry = _calendar_entry(happening, person.language)
    if entry is not None:
        message.add_attachment(
            entry.text.encode(),
            maintype="text",
            subtype="calendar",
            filename="booking.ics",
            params={"method": entry.method, "charset": "utf-8"},
        )
    return message


def _deliver(happening: Happening, address: str, message: EmailMessage, send: Send) -> bool:
    """Send the e-mail and write down how it went; whether it was sent."""
    provider_id = error = None
    is_permanent, is_uncertain = False, True
    try:
        provider_id = send(address, message)
    except Undeliverable as refusal:
        error, is_permanent, is_uncertain = str(refusal), True, False
    except NotSent as refusal:
        error, is_uncertain = str(refusal), False
        raise
    finally:
        with database.single(database.service()) as session:
            session.value(
                """
                select messaging.finish_telling(
                    outbox_id => %s, email => %s, provider_id => %s, error => %s, permanent => %s, uncertain => %s
                )
                """,
                [happening.id, address, provider_id, error, is_permanent, is_uncertain and provider_id is None],
            )
    return provider_id is not None


def _calendar_entry(happening: Happening, language: str) -> calendars.Invitation | None:
    booking_id = happening.payload.get("booking_id")
    if happening.topic not in WITH_CALENDAR or booking_id is None:
        return None
    organizer = settings.current().require("messages_sender")
    phrases = languages.LANGUAGES[language]
    words = calendars.Words(phrases.led_by, phrases.seats)
    with database.single(database.service()) as session:
        return calendars.of_booking(session, UUID(booking_id), organizer, words)
