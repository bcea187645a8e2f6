-- events.field_notices: return who is notified of a change of each field that an edit of an event or a series can set.
--
-- This is the only place of these decisions. Fields of a series act through the fields of its events. Customers are
-- those with a booking or a waitlist entry; instructors are the person who leads the event, before and after.

create or replace function events.field_notices()
returns table (field text, customers boolean, instructors boolean, reason text)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    values
    ('starts_at', true, true, 'They come at another time.'),
    ('ends_at', true, true, 'They leave at another time.'),
    ('time_zone', true, true, 'The printed time changes.'),
    ('location_id', true, true, 'They go to another place.'),
    ('instructor_id', true, true, 'Another person leads the event.'),
    ('room_id', false, false, 'Messages name the location, not the room.'),
    ('resource_ids', false, false, 'Only the organization plans with them.'),
    ('title', false, false, 'Calendars and the next message show it.'),
    ('description', false, false, 'The page shows it.'),
    ('category', false, false, 'It serves the search.'),
    ('language', false, false, 'It serves the search.'),
    ('price_cents', false, false, 'A booking keeps its price.'),
    ('policy_id', false, false, 'A booking keeps its policy.'),
    ('capacity', false, false, 'Additional seats are offered to the waitlist.'),
    ('visibility', false, false, 'A booking stays valid.'),
    ('status', false, false, 'A draft has no customers. A cancellation has messages of its own.'),
    ('recurrence', false, false, 'The times of its events change, or they are cancelled.'),
    ('start_date', false, false, 'The times of its events change, or they are cancelled.'),
    ('end_date', false, false, 'Its events are cancelled.'),
    ('local_start_time', false, false, 'The times of its events change.'),
    ('duration_minutes', false, false, 'The times of its events change.')
$$;

comment on function events.field_notices() is
'Return who is notified of a change of each field of an event or a series.';
