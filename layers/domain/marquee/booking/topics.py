"""Messages about bookings and waitlist entries: the API's objects with their organization."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.booking.bookings import BookingDetails
from marquee.booking.waitlist import Entry

ByOrganizer = Annotated[bool, Field(description="Whether the organizer cancelled the event.")]


class BookingMessage(BookingDetails):
    """A booking as GET /bookings/{booking_id} returns it, with its organization."""

    organization_id: UUID
    payment: Annotated[None, Field(description="Never sent: it would contain the secret of a payment.")] = None


class CancelledBookingMessage(BookingMessage):
    """A cancelled booking."""

    by_organizer: ByOrganizer


class EntryMessage(Entry):
    """A waitlist entry as the API returns it, with its organization."""

    organization_id: UUID


class ExpiredEntryMessage(EntryMessage):
    """A waitlist entry that ended without seats."""

    by_organizer: ByOrganizer
    reason: str | None
