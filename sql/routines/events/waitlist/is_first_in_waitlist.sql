-- events.is_first_in_waitlist: return whether a customer is the first who waits for seats of an event.
--
-- Never returns null. Exact under the event's lock. Internal: runs with the rights of the routine that calls it.

create or replace function events.is_first_in_waitlist(event_id uuid, customer_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        is_first_in_waitlist.customer_id = (
            select w.customer_id
            from events.waitlist_entries as w
            where w.event_id = is_first_in_waitlist.event_id and w.status = 'waiting'
            order by w.place
            limit 1
        ),
        false
    );
end;
$$;

comment on function events.is_first_in_waitlist(uuid, uuid) is
'Return whether a customer is the first who waits for seats of an event.';
