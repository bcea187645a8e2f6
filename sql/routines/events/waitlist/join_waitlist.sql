-- events.join_waitlist: join the waitlist of an event that has fewer free seats than the customer wants.
--
-- The entry reserves only seats that become free afterwards: seats that are free stay on sale. The response counts them
-- (`seats_left`), because the customer may want to book fewer seats at once.
--
-- Locks the person, then the event's inventory, so that concurrent joins get distinct places. A repeated call returns
-- the first entry.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 event_not_found, 404 customer_not_found, 409 already_booked,
-- 409 already_held, 409 booking_window_closed, 409 event_not_bookable, 409 hold_again_later, 409 seats_available,
-- 409 too_many_no_shows, 409 too_many_seats, 409 too_many_waiting_seats, 409 too_many_waits, 409 waitlist_closed,
-- 422 invalid_request.

create or replace function events.join_waitlist(event_id uuid, seats integer default 1, customer_id uuid default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    the_customer_id uuid;
    the_inventory events.inventory;
    the_entry_id uuid;
begin
    if (join_waitlist.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

    the_terms := events.bookable_terms(join_waitlist.event_id);
    the_customer_id := events.ensure_customer(
        ops.caller_id(), join_waitlist.customer_id, the_terms.organization_id
    );

    perform events.lock_customer(the_customer_id, the_terms.organization_id);
    perform events.expire_event_holds(join_waitlist.event_id);
    the_inventory := events.lock_inventory(join_waitlist.event_id);
    -- The terms and the caller's role may have changed while this waited for the locks.
    the_terms := events.bookable_terms(join_waitlist.event_id);
    if the_customer_id is distinct from ops.caller_id() then
        perform events.ensure_customer(ops.caller_id(), the_customer_id, the_terms.organization_id);
    end if;

    select w.id into the_entry_id
    from events.waitlist_entries as w
    where
        w.event_id = join_waitlist.event_id
        and w.customer_id = the_customer_id
        and w.status in ('waiting', 'offered');

    if found then
        return events.waitlist_answer(the_entry_id)
        || jsonb_build_object('seats_left', events.seats_on_sale(the_inventory));
    end if;

    perform events.require_waitlist(the_terms, the_inventory, the_customer_id, join_waitlist.seats);

    insert into events.waitlist_entries (event_id, customer_id, joined_by, seats, place)
    select
        join_waitlist.event_id, the_customer_id, ops.caller_id(), join_waitlist.seats,
        coalesce(max(w.place), 0) + 1
    from events.waitlist_entries as w
    where w.event_id = join_waitlist.event_id
    returning id into the_entry_id;

    insert into public.outbox (topic, key, payload)
    select 'waitlist.joined', w.event_id::text, events.waitlist_payload(w, the_terms.organization_id)
    from events.waitlist_entries as w
    where w.id = the_entry_id;
    return events.waitlist_answer(the_entry_id)
    || jsonb_build_object('seats_left', events.seats_on_sale(the_inventory));
end;
$$;

comment on function events.join_waitlist(uuid, integer, uuid) is
'Join the waitlist of a full event. Returns the entry with its position and the seats on sale.';

grant execute on function events.join_waitlist(uuid, integer, uuid) to authenticated, service_role;
