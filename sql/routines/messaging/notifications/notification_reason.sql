-- messaging.notification_reason: return the reason for a cancellation or an expired waitlist entry, from its own row.
--
-- Messages carry ids and amounts only. So a text that erasure or the retention period deletes does not survive in a
-- queue, delivery or log. The event's start is read from its terms, so that only one partition is searched. Internal.

create or replace function messaging.notification_reason(topic text, payload jsonb)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case notification_reason.topic
        when 'booking.cancelled' then (
            select b.status_reason::text
            from events.bookings as b
            where b.id = coalesce(
                notification_reason.payload ->> 'booking_id', notification_reason.payload ->> 'id'
            )::uuid
        )
        when 'waitlist.expired' then (
            select w.status_reason
            from events.waitlist_entries as w
            where w.id = coalesce(
                notification_reason.payload ->> 'entry_id', notification_reason.payload ->> 'id'
            )::uuid
        )
        when 'event.cancelled' then (
            select e.status_reason
            from events.terms as t
            inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
            where t.event_id = coalesce(
                notification_reason.payload ->> 'event_id', notification_reason.payload ->> 'id'
            )::uuid
        )
    end;
$$;

comment on function messaging.notification_reason(text, jsonb) is
'Return the reason for a cancellation or an expired waitlist entry, from its own row.';
