-- events.require_seats: refuse unless enough seats are on sale, after expiring overdue holds.
--
-- The slow path, when a look at the counters did not decide. Seats that are set aside for the waitlist are not on sale
-- (events.seats_on_sale). The first in the waitlist may take them, also fewer than they wait for. For a guest booking,
-- the customer's own booking is not reported. The caller holds the event's lock.
--
-- Refuses: 409 already_booked, 409 sold_out.

create or replace function events.require_seats(
    terms events.terms, customer_id uuid, seats integer, guest boolean
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_inventory events.inventory;
begin
    if exists (
        select
        from events.holds as h
        where
            h.event_id = (require_seats.terms).event_id
            and h.status = 'active'
            and h.expires_at <= statement_timestamp()
    ) then
        perform events.expire_event_holds((require_seats.terms).event_id);
    end if;

    select i.* into the_inventory
    from events.inventory as i
    where i.event_id = (require_seats.terms).event_id;

    if (events.seats_on_sale(the_inventory) < require_seats.seats) is not true then
        return;
    end if;

    if
        the_inventory.capacity - the_inventory.taken - the_inventory.held >= require_seats.seats
        and events.is_first_in_waitlist((require_seats.terms).event_id, require_seats.customer_id)
    then
        -- The seats that were set aside for this customer are on sale to them.
        perform events.adjust_inventory(
            (require_seats.terms).event_id, 0, 0, 0,
            events.seats_on_sale(the_inventory) - require_seats.seats, require_seats.customer_id
        );
        return;
    end if;

    if not require_seats.guest and exists (
        select
        from events.bookings as b
        where
            b.event_id = (require_seats.terms).event_id
            and b.customer_id = require_seats.customer_id
            and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
    ) then
        perform events.refuse_already_booked((require_seats.terms).event_id, require_seats.customer_id);
    end if;
    perform events.refuse_sold_out(
        (require_seats.terms).event_id, require_seats.customer_id, require_seats.seats
    );
end;
$$;

comment on function events.require_seats(events.terms, uuid, integer, boolean) is
'Refuse unless enough seats are on sale, after expiring overdue holds.';
