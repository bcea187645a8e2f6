-- events.leave_waitlist: leave an event's waitlist.
--
-- Customers leave for themselves, and staff for customers. Locks the event's inventory. A repeated call returns the
-- same entry.
--
-- Refuses: 401 unauthenticated, 404 customer_not_found, to staff for a person who was never a customer of the
-- organization; 404 waitlist_entry_not_found.

create or replace function events.leave_waitlist(event_id uuid, customer_id uuid default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry_id uuid;
begin
    perform users.refuse_erased();
    if coalesce(leave_waitlist.customer_id, ops.caller_id()) is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    if leave_waitlist.customer_id is distinct from ops.caller_id() then
        perform organizations.require_customer(t.organization_id, leave_waitlist.customer_id)
        from events.terms as t
        where
            t.event_id = leave_waitlist.event_id
            and leave_waitlist.customer_id is not null
            and events.is_staff(t.organization_id);
    end if;

    select w.id into the_entry_id
    from events.waitlist_entries as w
    where
        w.event_id = leave_waitlist.event_id
        and w.customer_id = coalesce(leave_waitlist.customer_id, ops.caller_id())
    order by (w.status in ('waiting', 'offered')) desc, w.joined_at desc
    limit 1;

    if not found then
        raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
    end if;
    return events.decline_offer(the_entry_id);
end;
$$;

comment on function events.leave_waitlist(uuid, uuid) is 'Leave an event''s waitlist. Returns the entry.';

grant execute on function events.leave_waitlist(uuid, uuid) to authenticated, service_role;
