-- events.waitlist_answer: return a waitlist entry with its position, as JSON.
--
-- The position counts waiting entries, from 1. An offered entry has none.

create or replace function events.waitlist_answer(entry_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', w.id,
        'event_id', w.event_id,
        'customer_id', w.customer_id,
        'seats', w.seats,
        'status', w.status,
        'position', case
            when w.status = 'waiting'
            then (
                select count(*)
                from events.waitlist_entries as o
                where o.event_id = w.event_id and o.status = 'waiting' and o.place <= w.place
            )
        end,
        'offered_at', case when w.status = 'offered' then w.offered_at end,
        'offer_expires_at', case when w.status = 'offered' then w.offer_expires_at end,
        'booking_id', w.booking_id,
        'joined_at', w.joined_at
    )
    from events.waitlist_entries as w
    where w.id = waitlist_answer.entry_id;
$$;

comment on function events.waitlist_answer(uuid) is 'Return a waitlist entry with its position, as JSON.';
