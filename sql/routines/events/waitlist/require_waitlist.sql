-- events.require_waitlist: refuse unless a customer may wait for so many seats of an event.
--
-- Does not check whether the event is open to the caller (events.bookable_terms). Without a customer, only the event is
-- considered. The result is exact under the locks of the person and the event.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 already_booked, 409 already_held, 409 hold_again_later, 409 seats_available, 409 too_many_seats,
-- 409 too_many_waiting_seats, 409 too_many_waits, 409 waitlist_closed.

create or replace function events.require_waitlist(
    terms events.terms, inventory events.inventory, customer_id uuid, seats integer
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := require_waitlist.terms;
    capacity integer := (require_waitlist.inventory).capacity;
    seats_on_sale integer := events.seats_on_sale(require_waitlist.inventory);
begin
    if exists (
        select
        from events.bookings as b
        where
            b.event_id = the_terms.event_id
            and b.customer_id = require_waitlist.customer_id
            and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
    ) then
        perform events.refuse_already_booked(the_terms.event_id, require_waitlist.customer_id);
    end if;

    if statement_timestamp() >= events.offers_end_at(the_terms) then
        raise exception using errcode = 'PT409', message = 'waitlist_closed',
            detail = jsonb_build_object(
                'last_offer_at', events.offers_end_at(the_terms), 'capacity', capacity, 'seats_left', seats_on_sale
            )::text;
    end if;

    if require_waitlist.seats > capacity then
        raise exception using errcode = 'PT409', message = 'waitlist_closed',
            detail = jsonb_build_object(
                'last_offer_at', events.offers_end_at(the_terms), 'capacity', capacity, 'seats_left', seats_on_sale,
                'detail', format(
                    'The event has %s seats in all, and %s are free. Ask for fewer than %s.',
                    capacity, seats_on_sale, require_waitlist.seats
                )
            )::text;
    end if;

    if seats_on_sale is null or seats_on_sale >= require_waitlist.seats then
        raise exception using errcode = 'PT409', message = 'seats_available',
            detail = jsonb_build_object('seats_left', seats_on_sale)::text;
    end if;

    if require_waitlist.customer_id is not null then
        perform events.limit_waits(the_terms.organization_id, require_waitlist.customer_id);
        perform events.limit_waiting_seats(
            the_terms, require_waitlist.customer_id, require_waitlist.seats, ops.caller_id()
        );
        perform events.limit_seats(the_terms, require_waitlist.customer_id, require_waitlist.seats, 'wait');
    end if;
end;
$$;

comment on function events.require_waitlist(events.terms, events.inventory, uuid, integer) is
'Refuse unless a customer may wait for so many seats of an event.';
