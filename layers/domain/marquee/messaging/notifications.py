"""Notifications of people: one in the application, and an e-mail if they have an address.

Each person is notified once per message, however often it is received. The notification is unique by itself. An
e-mail's delivery is recorded as `sending` before it is sent and as `sent` after. If a worker stops in between, or gets
no response, it is unknown whether the e-mail was sent. It is then sent again, because twice is better than never, and
says so.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from marquee.catalog import calendars
from marquee.core import codes, database, settings
from marquee.messaging import languages, preferences, texts
from marquee.messaging.topics import OutboxMessage, family_of

LEASE_SECONDS = 120
NOTIFICATION_ONLY = frozenset({"booking.attended"})
WITH_CODE = "invitation.sent"
WITH_CALENDAR = frozenset({"booking.confirmed", "booking.cancelled", "event.changed"})


class Undeliverable(Exception):
    """The address can never receive e-mail."""


class NotSent(Exception):
    """The e-mail was certainly not sent; it may be retried later."""


class InProgress(Exception):
    """Another worker is notifying somebody of this message at the moment; retry later."""


Send = Callable[[str, EmailMessage], str]
"""Sends an e-mail to an address and returns the provider's id.

Raises Undeliverable or NotSent; after any other fault it is unknown whether the e-mail was sent.
"""


@dataclass(frozen=True, slots=True)
class Notified:
    """The result of a message: the number of people, and of e-mails that were sent and refused."""

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


def notify_all(messages: Sequence[OutboxMessage], send: Send, named: Callable[[str | None], None]) -> Notified:
    """Notify people of each message, in order; `named` receives the correlation id of the next one.

    A failed message spares the later ones; its fault is raised at the end (the last one, with the others as its
    context).
    """
    outcomes: list[Notified] = []

    def notify_one(outbox_message: OutboxMessage) -> None:
        named(outbox_message.correlation_id)
        outcomes.append(notify(outbox_message, send))

    with contextlib.ExitStack() as each:
        for outbox_message in reversed(messages):
            each.callback(notify_one, outbox_message)
    return Notified(
        sum(each.people for each in outcomes),
        sum(each.sent for each in outcomes),
        sum(each.refused for each in outcomes),
    )


def notify(outbox_message: OutboxMessage, send: Send) -> Notified:
    """Notify everyone concerned by a message. Idempotent.

    Raises InProgress if another worker holds an e-mail, and faults of `send`, after all earlier people were notified.
    """
    sent, refused, busy = 0, 0, 0
    people = _audience(outbox_message)
    for person in people:
        todo = _start(outbox_message, person)
        busy += todo == "busy"
        if todo in ("send", "send_again") and person.email is not None:
            message = _message(outbox_message, person, is_again=todo == "send_again")
            delivered = message is not None and _deliver(outbox_message, person.email, message, send)
            if message is None:
                _finish(outbox_message, person.email, error="The e-mail is no longer wanted.", is_permanent=True)
            sent, refused = sent + delivered, refused + (not delivered and message is not None)
    if busy:
        raise InProgress(f"{busy} e-mails about {outbox_message.id} are being sent by another worker.")
    return Notified(len(people), sent, refused)


def _audience(outbox_message: OutboxMessage) -> list[_Person]:
    with database.single(database.service()) as session:
        rows = session.all(
            "select a.* from messaging.recipients(topic => %s, payload => %s) as a",
            [outbox_message.topic, outbox_message.payload],
        )
    return [
        _Person(
            row["user_id"],
            None if outbox_message.topic in NOTIFICATION_ONLY else row["email"],
            row["name"],
            row["organization_id"],
            texts.language_of(outbox_message.topic, row["language"]),
            row["facts"],
            texts.write(
                outbox_message.topic,
                row["language"],
                row["name"],
                outbox_message.payload,
                {"code": "", **row["facts"]} if outbox_message.topic == WITH_CODE else row["facts"],
            ),
        )
        for row in rows
    ]


def _start(outbox_message: OutboxMessage, person: _Person) -> str:
    with database.single(database.service()) as session:
        todo: str = session.value(
            """
            select messaging.start_notification(
                outbox_id => %s, topic => %s, user_id => %s, organization_id => %s, subject => %s, body => %s,
                email => %s, lease_seconds => %s, family => %s
            )
            """,
            [
                outbox_message.id,
                outbox_message.topic,
                person.user_id,
                person.organization_id,
                person.text.subject,
                person.text.body,
                person.email,
                LEASE_SECONDS,
                family_of(outbox_message.topic),
            ],
        )
    return todo


def _message(outbox_message: OutboxMessage, person: _Person, *, is_again: bool) -> EmailMessage | None:
    """Return the e-mail as plain text and HTML, with a calendar entry if it is about a booking.

    Return None if the e-mail is about an invitation that has ended or was sent again since.
    """
    message, text, facts = EmailMessage(), person.text, person.facts
    if outbox_message.topic == WITH_CODE:
        code = _issue_code(outbox_message)
        if code is None:
            return None
        facts = {**facts, "code": code}
    message["Subject"] = text.subject
    message["Auto-Submitted"] = "auto-generated"
    _add_unsubscribe_headers(message, outbox_message, person)
    if is_again:
        message["X-Marquee-Retry"] = "yes"
    if is_again or facts is not person.facts:
        text = texts.write(
            outbox_message.topic, person.language, person.name, outbox_message.payload, facts, is_repeat=is_again
        )
    message.set_content(text.body, cte="quoted-printable")  # SES accepts 7-bit content only
    message.add_alternative(text.html, subtype="html", cte="quoted-printable")
    entry = _calendar_entry(outbox_message, person)
    if entry is not None:
        message.add_attachment(
            entry.text.encode(),
            maintype="text",
            subtype="calendar",
            filename="booking.ics",
            params={"method": entry.method, "charset": "utf-8"},
        )
    return message


def _add_unsubscribe_headers(message: EmailMessage, outbox_message: OutboxMessage, person: _Person) -> None:
    """Add the headers to unsubscribe with one click (RFC 8058), if people can switch the topic off."""
    family, base_url = family_of(outbox_message.topic), settings.current().api_url
    if family is None or person.user_id is None or base_url is None:
        return
    with database.single(database.service()) as session:
        url = preferences.unsubscribe_url(session, base_url, person.user_id, family)
    message["List-Unsubscribe"] = f"<{url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _issue_code(outbox_message: OutboxMessage) -> str | None:
    """Return a new code for an invitation, whose hash the database stores, or None if it is no longer wanted."""
    code = codes.new_code()
    payload = outbox_message.payload
    with database.single(database.service()) as session:
        is_wanted = session.value(
            "select organizations.issue_invitation_code(invitation_id => %s, sends => %s, secret_hash => %s)",
            [payload["id"], payload["sends"], codes.hash_of(code)],
        )
    return code if is_wanted else None


def _deliver(outbox_message: OutboxMessage, address: str, message: EmailMessage, send: Send) -> bool:
    """Send the e-mail and record the result. Returns whether it was sent."""
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
        _finish(
            outbox_message,
            address,
            provider_id=provider_id,
            error=error,
            is_permanent=is_permanent,
            is_uncertain=is_uncertain and provider_id is None,
        )
    return provider_id is not None


def _finish(
    outbox_message: OutboxMessage,
    address: str,
    *,
    provider_id: str | None = None,
    error: str | None = None,
    is_permanent: bool = False,
    is_uncertain: bool = False,
) -> None:
    """Record the result of an e-mail."""
    with database.single(database.service()) as session:
        session.value(
            """
            select messaging.finish_notification(
                outbox_id => %s, email => %s, provider_id => %s, error => %s, permanent => %s, uncertain => %s
            )
            """,
            [outbox_message.id, address, provider_id, error, is_permanent, is_uncertain],
        )


def _calendar_entry(outbox_message: OutboxMessage, person: _Person) -> calendars.Invitation | None:
    booking_id = outbox_message.payload.get("booking_id") or person.facts.get("booking_id")
    if outbox_message.topic not in WITH_CALENDAR or booking_id is None:
        return None
    organizer = settings.current().require("messages_sender")
    phrases = languages.LANGUAGES[person.language]
    words = calendars.Words(phrases.led_by, phrases.seats)
    with database.single(database.service()) as session:
        return calendars.write_invitation(session, UUID(booking_id), organizer, words)
