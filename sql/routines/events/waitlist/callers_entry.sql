-- events.callers_entry: return a waitlist entry that the caller may change, with its event locked.
--
-- Customers may change their own entries, and staff all entries of their organization.
--
-- Refuses: 404 waitlist_entry_not_found.

create or replace function events.callers_entry(entry_id uuid)
returns events.waitlist_entries
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries;
begin
    -- Read the entry and the caller's right to it, lock the event, and read both again: they may have changed while
    -- this waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_entry.event_id);
        end if;

        select w.* into the_entry
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where
            w.id = callers_entry.entry_id
            and (
                w.customer_id = ops.caller_id()
                or events.is_staff(t.organization_id)
            );

        if not found then
            raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
        end if;
    end loop;
    return the_entry;
end;
$$;

comment on function events.callers_entry(uuid) is
'Return a waitlist entry that the caller may change, with its event locked.';
