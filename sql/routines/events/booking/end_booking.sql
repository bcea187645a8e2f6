-- events.end_booking: cancel a booking by the customer's will, and refund it by the booking's own policy.
--
-- Refunds the price less the kept part, besides that of seats given back before (events.return_seats), or the units of
-- a pass (events.late_cancellation_cents). Charges a late fee for a booking without a price to the wallet, or as a
-- debt. A promo code stays used after a late cancellation, unless the booking was never paid or the fee is waived.
-- Releases the hold of an unpaid booking. The caller holds the event's lock, and offers the seats to others afterwards.
-- Internal. Returns the cancelled booking.

create or replace function events.end_booking(booking events.bookings, reason text, waived boolean)
returns events.bookings
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings := end_booking.booking;
    was_unpaid boolean := the_booking.status = 'pending_payment';
    is_late boolean := (
        select
            statement_timestamp() > t.starts_at
            - make_interval(hours => coalesce((the_booking.policy ->> 'cancel_hours_before')::integer, 0))
        from events.terms as t
        where t.event_id = the_booking.event_id
    );
begin
    update events.bookings as b
    set
        status = 'cancelled',
        status_reason = left(end_booking.reason, 500),
        cancelled_at = statement_timestamp(),
        late = is_late,
        fee_cents = case
            when is_late and not end_booking.waived and b.status = 'confirmed' then events.late_cancellation_cents(b)
            else 0
        end
    where b.id = the_booking.id
    returning b.* into the_booking;

    update events.holds as h
    set status = 'released'
    where h.id = the_booking.hold_id and h.status = 'active';

    if the_booking.payment_method not in ('none', 'comp') then
        perform payments.reverse_sales(
            array[the_booking.id], 'cancelled', the_booking.policy ->> 'refund_to',
            array[
                case
                    when the_booking.payment_method <> 'pass'
                    then the_booking.returned_cents + the_booking.price_cents - the_booking.fee_cents
                    when is_late and not end_booking.waived
                        and coalesce((the_booking.policy ->> 'late_credit_lost')::boolean, true) then 0
                    else the_booking.seats
                end
            ]
        );
    end if;

    if was_unpaid or end_booking.waived or not is_late then
        perform payments.release_promo_codes(array[the_booking.id]);
    end if;

    if the_booking.price_cents = 0 then
        perform payments.charge_fee(the_booking);
    end if;

    insert into public.outbox (topic, key, payload)
    values (
        'booking.cancelled', the_booking.event_id::text,
        events.booking_payload(the_booking) || '{"by_organizer": false}'
    );
    return the_booking;
end;
$$;

comment on function events.end_booking(events.bookings, text, boolean) is
'Cancel a booking by the customer''s will, and refund it by the booking''s own policy.';
