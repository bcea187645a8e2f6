-- events.place_booking: write a confirmed booking and tell the world, once its caller has checked that it may be.
--
-- Internal: runs with the rights and the search path of the routine that calls it.
--
-- The outbox row comes first and the booking last: counting the booking locks the event's inventory, and the shorter
-- that lock is held, the more one event can sell. A customer's live booking of the event makes it a refusal.
--
-- Refuses: 409 already_booked, 409 sold_out.

create or replace function events.place_booking(
    booking_id uuid,
    terms events.terms,
    customer_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    hold_id uuid,
    booked_by uuid
)
returns uuid
language plpgsql
as $$
begin
    insert into public.outbox (topic, key, payload)
    values (
        'booking.confirmed', (place_booking.terms).event_id,
        jsonb_build_object(
            'booking_id', place_booking.booking_id, 'event_id', (place_booking.terms).event_id,
            'customer_id', place_booking.customer_id, 'organization_id', (place_booking.terms).organization_id,
            'seats', place_booking.seats
        )
    );

    insert into events.bookings (
        id, event_id, organization_id, customer_id, seats, guest, status, payment_method, price_cents, currency,
        policy, hold_id, booked_by
    )
    values (
        place_booking.booking_id, (place_booking.terms).event_id, (place_booking.terms).organization_id,
        place_booking.customer_id, place_booking.seats, place_booking.guest, 'confirmed', place_booking.payment_method,
        0, (place_booking.terms).currency, (place_booking.terms).policy, place_booking.hold_id,
        place_booking.booked_by
    )
    on conflict do nothing;

    if not found then
        perform events.refuse_already_booked((place_booking.terms).event_id, place_booking.customer_id);
    end if;
    return place_booking.booking_id;
end;
$$;

comment on function events.place_booking(
    uuid, events.terms, uuid, integer, boolean, events.payment_method, uuid, uuid
) is
'Write a confirmed booking and its message. For the routines that have checked that it may be.';
