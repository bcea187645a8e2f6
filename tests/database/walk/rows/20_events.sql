-- Insert a public row of each kind, and rows that the public cannot see: private, archived, draft.
insert into events.series (
    id, organization_id, title, language, time_zone, recurrence, local_start_time, start_date, duration_minutes,
    currency, visibility, status
)
select
    s.id, %(organization)s, 'Class', 'en', 'Europe/Zurich', 'RRULE:FREQ=WEEKLY', '09:00', current_date, 60, 'CHF',
    s.visibility::events.visibility, s.status::events.series_status
from (
    values
    (%(series)s, 'public', 'active'),
    (%(hidden_series)s, 'private', 'active'),
    (%(hidden_archived_series)s, 'public', 'archived')
) as s (id, visibility, status);

insert into events.events (
    id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy, visibility, status
)
select
    e.id, now() + interval '10 days', now() + interval '11 days', %(organization)s, 'Class', 'en', 'Europe/Zurich',
    'CHF', '{}', e.visibility::events.visibility, e.status::events.event_status
from (
    values
    (%(event)s, 'public', 'scheduled'),
    (%(unbooked_event)s, 'public', 'scheduled'),
    (%(hidden_event)s, 'private', 'scheduled'),
    (%(hidden_draft)s, 'public', 'draft')
) as e (id, visibility, status);

update events.events set instructor_id = %(instructor)s where id = %(event)s;

insert into events.closures (organization_id, starts_at, ends_at, time_zone, reason)
values (%(organization)s, now() + interval '300 days', now() + interval '301 days', 'Europe/Zurich', 'Holidays');

with absent as (
    insert into organizations.instructors (organization_id, name) values (%(organization)s, 'Absent') returning id
)
insert into events.substitutions (event_id, organization_id, instructor_id, absent_instructor_id)
select %(event)s, %(organization)s, %(instructor)s, a.id
from absent as a;

insert into events.inventory (event_id, capacity)
select e, 1000
from unnest(array[%(event)s, %(unbooked_event)s, %(hidden_event)s, %(hidden_draft)s]::uuid[]) as e;

insert into events.scarce_listings (event_id, starts_at, scarcity, lexemes)
select l.event_id, l.starts_at, 3, l.lexemes
from events.listings as l
on conflict do nothing;

insert into events.stale_listings (event_id)
select l.event_id
from events.listings as l;

-- The third event is one date of a public series and is private.
insert into events.occurrences (series_id, local_start, event_id)
values
(%(series)s, '2030-01-07 09:00', %(event)s),
(%(series)s, '2030-01-14 09:00', %(unbooked_event)s),
(%(series)s, '2030-01-21 09:00', %(hidden_event)s),
(%(hidden_series)s, '2030-01-07 09:00', %(hidden_draft)s);

insert into events.lost_occurrences (event_id, series_id, local_start, place)
values (%(hidden_event)s, %(series)s, '2030-01-21 09:00', 1);

-- Each person has bookings, a hold and a waitlist entry at both organizations.
insert into events.bookings (
    event_id, organization_id, customer_id, seats, status, payment_method, price_cents, currency, policy
)
select e.id, %(organization)s, p, 1, 'confirmed', 'none', 0, 'CHF', '{}'
from unnest(array[%(event)s, %(hidden_event)s]::uuid[]) as e (id)
cross join unnest(%(people)s::uuid[]) as p;

insert into events.holds (event_id, customer_id, seats, purpose, expires_at)
select %(event)s, p, 1, 'online', now() + interval '1 hour'
from unnest(%(people)s::uuid[]) as p;

insert into events.waitlist_entries (event_id, customer_id, seats, place)
select %(event)s, p.id, 1, p.place
from unnest(%(people)s::uuid[]) with ordinality as p (id, place);
