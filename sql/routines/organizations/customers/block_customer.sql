-- organizations.block_customer: refuse a customer from now on, until they are unblocked.
--
-- For front desk, editors, admins and owners. Bookings stay. Waitlist entries and holds that no payment needs end, and
-- the seats are offered to others. A repeated call changes only the reason. Locks the customer
-- (organizations.lock_customer_record), then the inventories of the events in the order of their ids. A request that
-- books for the customer commits before, or is refused afterwards (organizations.refuse_blocked).
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found, 422 invalid_request.

create or replace function organizations.block_customer(
    organization_id uuid, customer_id uuid, reason text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers;
    the_event_id uuid;
    the_entry events.waitlist_entries;
begin
    perform users.refuse_erased();
    the_customer := organizations.lock_customer_record(
        block_customer.organization_id, block_customer.customer_id
    );
    update organizations.customers as c
    set
        blocked_at = coalesce(c.blocked_at, statement_timestamp()),
        blocked_by = case
            when c.blocked_at is not null then c.blocked_by
            when not ops.caller_is_service() then ops.caller_id()
        end,
        block_reason = block_customer.reason
    where c.organization_id = the_customer.organization_id and c.customer_id = the_customer.customer_id;

    for the_event_id in
        select i.event_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where
            t.organization_id = the_customer.organization_id
            and i.event_id in (
                select h.event_id
                from events.holds as h
                where h.customer_id = the_customer.customer_id and h.status = 'active' and h.purpose <> 'payment'
                union
                select w.event_id
                from events.waitlist_entries as w
                where w.customer_id = the_customer.customer_id and w.status in ('waiting', 'offered')
            )
        order by i.event_id
        for no key update of i
    loop
        for the_entry in
            select w.*
            from events.waitlist_entries as w
            where
                w.event_id = the_event_id
                and w.customer_id = the_customer.customer_id
                and w.status in ('waiting', 'offered')
        loop
            perform events.close_entry(the_entry, 'left', 'The organization blocked the customer.');
        end loop;
        update events.holds as h
        set status = 'released'
        where
            h.event_id = the_event_id
            and h.customer_id = the_customer.customer_id
            and h.status = 'active'
            and h.purpose <> 'payment';
        perform events.offer_seats(the_event_id);
    end loop;
    return organizations.show_customer(the_customer.organization_id, the_customer.customer_id);
end;
$$;

comment on function organizations.block_customer(uuid, uuid, text) is
'Refuse a customer from now on, until they are unblocked.';

grant execute on function organizations.block_customer(uuid, uuid, text) to authenticated, service_role;
