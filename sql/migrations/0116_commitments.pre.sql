-- Name the rows that an edit of a series concerns.

create type events.commitments as (event_ids uuid [], booking_ids uuid [], entry_ids uuid []);

comment on type events.commitments is 'Events, with their live bookings and open waitlist entries.';
