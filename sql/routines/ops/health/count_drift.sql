-- ops.count_drift: return those of the given events whose counters differ from their rows. There must never be one.
--
-- A single statement reads a single snapshot: it sees a concurrent booking completely or not at all.

create or replace function ops.count_drift(event_ids uuid[])
returns table (event_id uuid, counted jsonb, found jsonb)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        d.event_id,
        jsonb_build_object('taken', d.taken, 'held', d.held, 'waitlisted', d.waitlisted),
        jsonb_build_object('taken', d.seats_taken, 'held', d.seats_held, 'waitlisted', d.entries_waiting)
    from (
        select
            i.event_id,
            i.taken,
            i.held,
            i.waitlisted,
            (
                select coalesce(sum(b.seats), 0)
                from events.bookings as b
                where b.event_id = i.event_id and b.status in ('confirmed', 'attended', 'no_show')
            ) as seats_taken,
            (
                select coalesce(sum(h.seats), 0)
                from events.holds as h
                where h.event_id = i.event_id and h.status = 'active'
            ) as seats_held,
            (
                select count(*)
                from events.waitlist_entries as w
                where w.event_id = i.event_id and w.status = 'waiting'
            ) as entries_waiting
        from events.inventory as i
        where i.event_id = any(count_drift.event_ids)
    ) as d
    where (d.taken, d.held, d.waitlisted) is distinct from (d.seats_taken, d.seats_held, d.entries_waiting);
$$;

comment on function ops.count_drift(uuid[]) is
'Return those of the given events whose counters differ from their rows.';

grant execute on function ops.count_drift(uuid[]) to service_role;
