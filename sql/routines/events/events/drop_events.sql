-- events.drop_events: take events out of the programme: delete those that nobody had to do with, cancel the others.
--
-- An event with a booking, a hold or a wait is cancelled, so that its history stays and its people are told; with
-- cancel_booked => false it stays as it is. Locks the events' seats, then their terms, in id order, so that nobody
-- books what is deleted: who is on the way waits for these locks, and then finds no event. One that somebody is busy
-- with just now counts as booked. For the routines that have checked that the caller may.

create or replace function events.drop_events(event_ids uuid[], reason text, cancel_booked boolean default true)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    unused uuid[];
begin
    select array_agg(i.event_id) into unused
    from (
        select i.event_id
        from events.inventory as i
        where i.event_id = any (drop_events.event_ids)
        order by i.event_id
        for update skip locked
    ) as i;

    -- After the seats: everybody who locks both takes them in this order, but for a new booking, which is passed over.
    select array_agg(t.event_id) into unused
    from (
        select t.event_id
        from events.terms as t
        where t.event_id = any (unused)
        order by t.event_id
        for update skip locked
    ) as t;

    -- A statement by itself, to see what was booked before the locks were had.
    select array_agg(u.event_id) into unused
    from unnest(unused) as u (event_id)
    where
        not exists (select from events.bookings as b where b.event_id = u.event_id)
        and not exists (select from events.holds as h where h.event_id = u.event_id)
        and not exists (select from events.waitlist_entries as w where w.event_id = u.event_id);

    delete from events.occurrences as o where o.event_id = any (unused);
    delete from events.events as e
    using events.terms as t
    where t.event_id = any (unused) and e.id = t.event_id and e.starts_at = t.starts_at;

    if drop_events.cancel_booked then
        perform events.cancel_events(
            array(select d.id from unnest(drop_events.event_ids) as d (id) where d.id <> all (coalesce(unused, '{}'))),
            drop_events.reason
        );
    end if;
end;
$$;

comment on function events.drop_events(uuid[], text, boolean) is
'Delete events that nobody had to do with; cancel the others, or leave them.';
