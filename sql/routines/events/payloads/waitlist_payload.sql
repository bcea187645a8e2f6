-- events.waitlist_payload: return a waitlist entry as the API and its messages have it.
--
-- The position counts the waiting entries, from 1. An entry with another status has none.

create or replace function events.waitlist_payload(entry events.waitlist_entries, organization_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', (waitlist_payload.entry).id,
        'event_id', (waitlist_payload.entry).event_id,
        'organization_id', waitlist_payload.organization_id,
        'customer_id', (waitlist_payload.entry).customer_id,
        'seats', (waitlist_payload.entry).seats,
        'status', (waitlist_payload.entry).status,
        'position', case
            when (waitlist_payload.entry).status = 'waiting'
            then (
                select count(*)
                from events.waitlist_entries as o
                where
                    o.event_id = (waitlist_payload.entry).event_id
                    and o.status = 'waiting'
                    and o.place <= (waitlist_payload.entry).place
            )
        end,
        'offered_at', case
            when (waitlist_payload.entry).status = 'offered' then (waitlist_payload.entry).offered_at
        end,
        'offer_expires_at', case
            when (waitlist_payload.entry).status = 'offered' then (waitlist_payload.entry).offer_expires_at
        end,
        'booking_id', (waitlist_payload.entry).booking_id,
        'joined_at', (waitlist_payload.entry).joined_at
    );
$$;

comment on function events.waitlist_payload(events.waitlist_entries, uuid) is
'Return a waitlist entry as the API and its messages have it.';
