-- events.lock_commitments: lock the inventories of upcoming events, and return what customers have there.
--
-- These are the live bookings and the waitlist entries that can still get seats. The locks are taken in id order.
-- Nobody books, cancels or joins a waitlist there until the transaction ends. Called by the routines that edit events,
-- before the first change.

create or replace function events.lock_commitments(event_ids uuid[])
returns events.commitments
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    found events.commitments;
begin
    perform
    from events.inventory as i
    where i.event_id = any (lock_commitments.event_ids)
    order by i.event_id
    for no key update;

    -- Separate statements, so that their snapshots include bookings that committed before the locks were taken.
    found.event_ids := array(
        select t.event_id
        from events.terms as t
        where t.event_id = any (lock_commitments.event_ids) and t.status in ('draft', 'scheduled')
    );
    found.booking_ids := array(
        select b.id
        from events.bookings as b
        where b.event_id = any (found.event_ids) and b.status in ('pending_payment', 'held', 'confirmed')
    );
    found.entry_ids := array(
        select w.id
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.event_id = any (found.event_ids) and events.entry_is_open(w, t)
    );
    return found;
end;
$$;

comment on function events.lock_commitments(uuid[]) is
'Lock the inventories of upcoming events. Returns their live bookings and open waitlist entries.';
