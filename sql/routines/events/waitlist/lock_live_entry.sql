-- events.lock_live_entry: return a customer's live entry on an event's waitlist, with the event locked.
--
-- Locks nothing if there is no entry, as for most customers.

create or replace function events.lock_live_entry(event_id uuid, customer_id uuid)
returns events.waitlist_entries
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries;
begin
    if not exists (
        select
        from events.waitlist_entries as w
        where
            w.event_id = lock_live_entry.event_id
            and w.customer_id = lock_live_entry.customer_id
            and w.status in ('waiting', 'offered')
    ) then
        return null;
    end if;

    perform events.lock_inventory(lock_live_entry.event_id);
    select w.* into the_entry
    from events.waitlist_entries as w
    where
        w.event_id = lock_live_entry.event_id
        and w.customer_id = lock_live_entry.customer_id
        and w.status in ('waiting', 'offered');
    return the_entry;
end;
$$;

comment on function events.lock_live_entry(uuid, uuid) is
'Return a customer''s live waitlist entry, with its event locked. Returns null if there is none.';
