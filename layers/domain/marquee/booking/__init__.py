"""Places at events: bookings, holds, waitlists, attendance. The rules live in SQL; this package asks."""
