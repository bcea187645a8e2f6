-- events.drop_events: remove events from the programme: delete unused events and cancel the others.
--
-- An event is used if it has a booking, a hold or a waitlist entry. Cancelling it keeps its history and notifies its
-- customers. It is no exception of its series: if its time returns, a new event takes its place. With
-- cancel_booked => false, used events stay unchanged.
--
-- Locks the events' inventories, then their terms, in id order, so that nobody books a deleted event: a concurrent
-- booking waits for these locks and then finds no event. An event that another transaction has locked counts as used.
-- Called by routines that have checked the caller's permission.

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

    -- The inventory comes first, as in every routine that locks both. Only a new booking locks them in the other order,
    -- and its event is skipped.
    select array_agg(t.event_id) into unused
    from (
        select t.event_id
        from events.terms as t
        where t.event_id = any (unused)
        order by t.event_id
        for update skip locked
    ) as t;

    -- A separate statement, so that its snapshot includes bookings and cancellations that committed before the locks
    -- were taken. An event that was cancelled meanwhile keeps its history.
    select array_agg(u.event_id) into unused
    from unnest(unused) as u (event_id)
    where
        not exists (select from events.bookings as b where b.event_id = u.event_id)
        and not exists (select from events.holds as h where h.event_id = u.event_id)
        and not exists (select from events.waitlist_entries as w where w.event_id = u.event_id)
        and exists (
            select from events.terms as t where t.event_id = u.event_id and t.status in ('draft', 'scheduled')
        );

    delete from events.occurrences as o where o.event_id = any (unused);
    delete from events.events as e
    using events.terms as t
    where t.event_id = any (unused) and e.id = t.event_id and e.starts_at = t.starts_at;

    if drop_events.cancel_booked then
        perform events.cancel_events(
            array(select d.id from unnest(drop_events.event_ids) as d (id) where d.id <> all (coalesce(unused, '{}'))),
            drop_events.reason
        );
        delete from events.occurrences as o
        using events.terms as t
        where o.event_id = any (drop_events.event_ids) and t.event_id = o.event_id and t.status = 'cancelled';
    end if;
end;
$$;

comment on function events.drop_events(uuid[], text, boolean) is
'Delete unused events. Cancel the others, or leave them unchanged.';
