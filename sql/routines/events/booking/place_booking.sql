-- events.place_booking: write a booking with its payment and its message, after the calling routine has checked it.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- The outbox row is written before the booking, because counting the booking locks the event's inventory: the shorter
-- that lock is held, the more bookings one event can sell. Money moves afterwards, in the same transaction: ledger
-- locks always come after the inventory. A booking that is paid through Stripe holds its seats until it is paid. A
-- customer's live booking of the event is a refusal.
--
-- Refuses: 409 already_booked, 409 hold_again_later, 409 insufficient_credits, 409 insufficient_funds,
-- 409 promo_code_used_up, 409 sold_out, 409 too_many_held.

create or replace function events.place_booking(
    booking_id uuid,
    terms events.terms,
    customer_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    quote payments.quotes,
    hold_id uuid,
    booked_by uuid
)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    goes_through_stripe boolean := place_booking.payment_method in ('card', 'twint');
    -- Complimentary seats, and seats paid with a pass, cost nothing.
    the_price_cents bigint := case
        when place_booking.payment_method in ('comp', 'pass') then 0
        else coalesce((place_booking.quote).total_cents, 0)
    end;
    the_hold_id uuid := place_booking.hold_id;
begin
    if goes_through_stripe then
        the_hold_id := events.hold_until_paid(
            place_booking.terms, place_booking.customer_id, place_booking.seats, place_booking.booked_by
        );
    else
        if place_booking.payment_method = 'invoice' then
            perform events.limit_invoiced_seats(
                place_booking.terms, place_booking.customer_id, place_booking.seats, place_booking.booked_by
            );
        end if;

        insert into public.outbox (topic, key, payload)
        values (
            'booking.confirmed', (place_booking.terms).event_id,
            events.new_booking_payload(
                events.booking_answer(
                    place_booking.booking_id, (place_booking.terms).event_id, place_booking.customer_id,
                    place_booking.seats, place_booking.guest, place_booking.payment_method, the_price_cents,
                    (place_booking.terms).currency
                ),
                (place_booking.terms).organization_id
            )
        );
    end if;

    insert into events.bookings (
        id, event_id, organization_id, customer_id, seats, guest, status, payment_method, price_cents, currency,
        policy, hold_id, booked_by
    )
    values (
        place_booking.booking_id, (place_booking.terms).event_id, (place_booking.terms).organization_id,
        place_booking.customer_id, place_booking.seats, place_booking.guest,
        case when goes_through_stripe then 'pending_payment' else 'confirmed' end::events.booking_status,
        place_booking.payment_method, the_price_cents, (place_booking.terms).currency,
        (place_booking.terms).policy, the_hold_id, place_booking.booked_by
    )
    on conflict do nothing;

    if not found then
        perform events.refuse_already_booked((place_booking.terms).event_id, place_booking.customer_id);
    end if;

    if place_booking.payment_method <> 'comp' and (place_booking.quote).list_cents > 0 then
        perform payments.start_payment(place_booking.booking_id, place_booking.quote);
    end if;
    return place_booking.booking_id;
end;
$$;

comment on function events.place_booking(
    uuid, events.terms, uuid, integer, boolean, events.payment_method, payments.quotes, uuid, uuid
) is
'Write a booking with its payment and its message, after the calling routine has checked it.';
