"""Places at events: bookings, holds, waitlists, attendance. The rules are SQL routines, which this package calls."""
