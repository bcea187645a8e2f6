-- events.undo_unpaid_booking: expire a booking that cannot be paid, and return everything that it used.
--
-- The hold and the offer whose seats it used are active again, with their prices and expiry, and the promo code can be
-- used again. Seats that were free before are offered to the waitlist. The unpaid booking leaves no hold, so it causes
-- no pause (events.hold_again_at). With `quiet` there is no message. The caller holds the event's lock. Internal.
-- Returns whether an unpaid booking was expired.

create or replace function events.undo_unpaid_booking(booking_id uuid, reason text, quiet boolean)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_hold events.holds;
begin
    select h.* into the_hold
    from events.bookings as b
    inner join events.holds as h on h.id = b.hold_id
    where b.id = undo_unpaid_booking.booking_id and h.status = 'active' and h.purpose = 'payment';

    update events.bookings as b
    set status = 'expired', status_reason = left(undo_unpaid_booking.reason, 500), hold_id = null
    where b.id = undo_unpaid_booking.booking_id and b.status = 'pending_payment'
    returning b.* into the_booking;

    if not found then
        return false;
    end if;

    -- One statement, so that the seats are never free in between. Seats beyond those of the former holds become free.
    with back as (
        select
            h.id,
            least(h.seats, the_hold.seats - sum(h.seats) over (order by h.purpose <> 'offer', h.id) + h.seats) as seats
        from events.holds as h
        where
            h.used_by = the_booking.id
            and h.status = 'consumed'
            and not exists (
                select
                from events.holds as o
                where
                    o.event_id = h.event_id
                    and o.customer_id = h.customer_id
                    and o.purpose = h.purpose
                    and o.status = 'active'
            )
    )

    update events.holds as h
    set
        status = case when h.id = the_hold.id then 'released' else 'active' end::events.hold_status,
        seats = coalesce(b.seats, h.seats),
        seat_prices_cents = array(
            select s.cents
            from unnest(h.seat_prices_cents) as s (cents)
            order by s.cents
            limit coalesce(b.seats, h.seats)
        ),
        used_by = null,
        ended_at = null
    from (select the_hold.id as id, null::integer as seats union all select b.id, b.seats from back as b) as b
    where h.id = b.id and (b.seats is null or b.seats > 0);
    -- A statement of its own: a deletion is counted apart from updates (events.count_holds), so the seats would be
    -- counted twice or be free in between.
    delete from events.holds as h
    where h.id = the_hold.id;

    update events.waitlist_entries as w
    set status = 'offered', status_reason = 'The payment was refused.', booking_id = null,
        seats = (select h.seats from events.holds as h where h.id = w.hold_id)
    where
        w.booking_id = the_booking.id
        and w.status = 'accepted'
        and exists (select from events.holds as h where h.id = w.hold_id and h.status = 'active');

    perform payments.release_promo_codes(array[the_booking.id]);

    if not undo_unpaid_booking.quiet then
        insert into public.outbox (topic, key, payload)
        values ('booking.expired', the_booking.event_id::text, events.booking_payload(the_booking));
    end if;
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

comment on function events.undo_unpaid_booking(uuid, text, boolean) is
'Expire a booking that cannot be paid, and return everything that it used.';
