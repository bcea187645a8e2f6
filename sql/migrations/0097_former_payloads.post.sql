-- Drop the payload of cancelled bookings: events.booking_payload makes the payload of every message about a booking.

drop function if exists events.cancelled_payload(events.bookings);
