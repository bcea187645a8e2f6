-- Insert sent and waiting messages of both organizations to each person.
insert into public.outbox (topic, key, payload)
select 'booking.confirmed', %(event)s, jsonb_build_object('event_id', %(event)s, 'customer_id', p)
from unnest(%(people)s::uuid[]) as p;

insert into messaging.notifications (user_id, organization_id, outbox_id, topic, subject, body)
select (o.payload ->> 'customer_id')::uuid, %(organization)s, o.id, o.topic, 'Booked', 'Booked.'
from public.outbox as o
where o.key = %(event)s::text;

insert into messaging.deliveries (outbox_id, channel, recipient, status, user_id)
select n.outbox_id, 'email', n.user_id || '@example.org', 'sent', n.user_id
from messaging.notifications as n
where n.organization_id = %(organization)s;

insert into messaging.reminders (booking_id)
select b.id
from events.bookings as b
where b.organization_id = %(organization)s;

insert into messaging.reminded_events (event_id, due_at) values (%(event)s, now());
