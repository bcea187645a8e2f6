"""Calendars to subscribe to (RFC 5545): an event, a series, the caller's bookings.

Times are instants in UTC, so that no calendar needs the rules of a time zone. An entry keeps its UID for ever, and its
SEQUENCE grows with each change. Cancelled entries stay with STATUS:CANCELLED, so that calendars remove them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from icalendar import Calendar, Event, vCalAddress, vText

from marquee.core import codes
from marquee.core.database import Session
from marquee.core.errors import Refused

CONTENT_TYPE = "text/calendar; charset=utf-8"
ENTRIES_MAX = 1000
PAST = timedelta(days=30)

_DOMAIN = "marquee.example"
_REFRESH = timedelta(hours=1)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed phrases of an entry, beside texts that people typed; each has its `{name}` or `{number}`."""

    led_by: str = "With {name}"
    seats: str = "{number} places"


ENGLISH = Words()
"""The phrases of calendars that people subscribe to."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar of one entry to attach to a message (RFC 5546): PUBLISH adds the entry, CANCEL removes it."""

    method: str
    text: str


def write_event_calendar(session: Session, event_id: UUID) -> str:
    """Write the calendar of a public event. Refuses: 404 event_not_found, also for drafts and private events."""
    row = session.one(
        """
        select c.*
        from events.calendar_entries as c
        where
            c.event_id = %(event_id)s
            and c.starts_at = (select t.starts_at from events.terms as t where t.event_id = %(event_id)s)
            and c.visibility = 'public' and c.status <> 'draft'
        """,
        {"event_id": event_id},
    )
    if row is None:
        raise Refused(404, "event_not_found")
    return _calendar(row["title"], [_entry(row)])


def write_series_calendar(session: Session, series_id: UUID, now: datetime) -> str:
    """Write the calendar of a public series: its events of the last 30 days and later, cancelled ones included.

    It includes the events of the series into which it was split, so that a subscription never loses them.

    Refuses: 404 series_not_found, if all of them are private or archived.
    """
    rows = session.all(
        """
        with family as materialized (
            select events.series_family(%(series_id)s) as ids
        ),
        named as (
            select s.title
            from family as f
            inner join events.series as s on s.id = any (f.ids)
            where s.visibility = 'public' and s.status <> 'archived'
            order by s.id = %(series_id)s desc, s.start_date desc
            limit 1
        )
        select n.title as series_title, c.*
        from named as n
        left join (
            select c.*
            from events.calendar_entries as c
            where
                c.series_id = any ((select f.ids from family as f)::uuid[]) and c.starts_at >= %(first)s
                and c.visibility = 'public' and c.status <> 'draft'
            order by c.starts_at, c.event_id
            limit %(most)s
        ) as c on true
        order by c.starts_at, c.event_id
        """,
        {"series_id": series_id, "first": now - PAST, "most": ENTRIES_MAX},
    )
    if not rows:
        raise Refused(404, "series_not_found")
    return _calendar(rows[0]["series_title"], [_entry(row) for row in rows if row["event_id"] is not None])


def write_own_calendar(session: Session, now: datetime) -> str:
    """Write the calendar of the caller's bookings of the last 30 days and later, cancelled ones included."""
    rows = session.all(
        """
        select c.*
        from events.booking_calendar_entries as c
        where c.customer_id = (select ops.caller_id()) and c.starts_at >= %(first)s
        order by c.starts_at, c.booking_id
        limit %(most)s
        """,
        {"first": now - PAST, "most": ENTRIES_MAX},
    )
    return _calendar("Bookings", [_entry(row) for row in rows])


def write_secret_calendar(session: Session, secret: str, now: datetime) -> str:
    """Write the calendar of the bookings of the person who has this secret address.

    Refuses: 404 calendar_not_found, for a secret that is unknown or revoked.
    """
    rows = session.all(
        "select c.* from events.secret_calendar(secret_hash => %s, first => %s, most => %s) as c",
        [codes.hash_of(secret), now - PAST, ENTRIES_MAX],
    )
    return _calendar("Bookings", [_entry(row) for row in rows])


def write_invitation(session: Session, booking_id: UUID, organizer: str, words: Words) -> Invitation | None:
    """Write a calendar of one booking to attach to a message; None if the caller may not see the booking.

    `organizer` is the sender's address, `words` are those of the message's language. A cancelled booking removes the
    entry with its UID.
    """
    row = session.one("select c.* from events.booking_calendar_entries as c where c.booking_id = %s", [booking_id])
    if row is None:
        return None
    entry = _entry(row, words)
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"), parameters={"CN": _text(row["organization_name"])})
    method = "CANCEL" if entry["status"] == "CANCELLED" else "PUBLISH"
    return Invitation(method, _calendar(row["title"], [entry], method))


def _calendar(name: str, entries: Iterable[Event], method: str = "PUBLISH") -> str:
    calendar = Calendar()
    calendar.add("prodid", "-//Marquee//Calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add("name", _text(name))
    calendar.add("x-wr-calname", _text(name))
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(entry)
    text: str = calendar.to_ical().decode()
    return text


def _entry(row: Row, words: Words = ENGLISH) -> Event:
    """Return a calendar entry for an event, or for a booking of it."""
    changed_at = row["updated_at"].astimezone(UTC)
    is_cancelled = row["status"] == "cancelled" or row.get("booking_status") in ("cancelled", "refunded")

    entry = Event()
    entry.add("uid", f"{row.get('booking_id') or row['event_id']}@{_DOMAIN}")
    entry.add("dtstamp", changed_at)
    entry.add("last-modified", changed_at)
    entry.add("sequence", row["sequence"])
    entry.add("dtstart", row["starts_at"].astimezone(UTC))
    entry.add("dtend", row["ends_at"].astimezone(UTC))
    entry.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    entry.add("summary", _text(row["title"]))
    instructor = row["instructor_name"] and words.led_by.format(name=row["instructor_name"])
    seats = words.seats.format(number=row["seats"]) if row.get("seats", 1) > 1 else None
    description = _lines(row["description"], instructor, seats)
    if description:
        entry.add("description", _text(description))
    place = ", ".join(part for part in (row["location_name"], row["location_address"], row["location_city"]) if part)
    if place:
        entry.add("location", _text(place))
    return entry


def _text(value: str) -> vText:
    """Return text that is valid in a calendar: one kind of line end, no other control characters (RFC 5545, 3.3.11)."""
    return vText(_CONTROL.sub(" ", _LINE_END.sub("\n", value)))


def _lines(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)
