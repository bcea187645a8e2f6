-- messaging.reason_of: the reason that people gave for what a message tells, read where it is kept.
--
-- Messages carry ids and amounts only, so that no queue, delivery or log keeps a text that erasure or a period has
-- ended. The event's partition is known from its terms. Internal.

create or replace function messaging.reason_of(topic text, payload jsonb)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case reason_of.topic
        when 'booking.cancelled' then (
            select b.status_reason::text
            from events.bookings as b
            where b.id = coalesce(reason_of.payload ->> 'booking_id', reason_of.payload ->> 'id')::uuid
        )
        when 'waitlist.expired' then (
            select w.status_reason
            from events.waitlist_entries as w
            where w.id = coalesce(reason_of.payload ->> 'entry_id', reason_of.payload ->> 'id')::uuid
        )
        when 'event.cancelled' then (
            select e.status_reason
            from events.terms as t
            inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
            where t.event_id = coalesce(reason_of.payload ->> 'event_id', reason_of.payload ->> 'id')::uuid
        )
    end;
$$;

comment on function messaging.reason_of(text, jsonb) is
'The reason that people gave for what a message tells, read where it is kept.';
