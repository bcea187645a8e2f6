-- events.return_seats: give some seats of a confirmed booking back, and keep `seats` of them.
--
-- Customers give seats of their own bookings back until the event starts, staff for any booking of their organization.
-- The returned seats have an equal share of the booking's price. Their share is refunded by the booking's own policy,
-- as by a cancellation; after its cut-off with the late cost of the share (events.late_cancellation_cents), which staff
-- may waive. Seats without a price cost nothing. A pass gets a unit for each seat, unless late units are lost.
--
-- The last names beyond the kept seats are deleted. In this transaction the seats are offered to the waitlist. The key
-- is bound to the request, and returns the first response. Locks the event's inventory, then the sale, the payments and
-- the wallet. A request for the present number of seats changes nothing.
--
-- Refuses: 400 idempotency_key_required, if the seats have a price; 403 forbidden, 404 booking_not_found,
-- 409 booking_not_confirmed, 409 event_begun, 409 seats_not_fewer, 422 idempotency_conflict, 422 invalid_request.

create or replace function events.return_seats(
    booking_id uuid, seats integer, waive boolean default false, idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_share events.bookings;
    the_terms events.terms;
    the_first_answer text;
    is_staff boolean;
    is_waived boolean := coalesce(return_seats.waive, false);
    is_late boolean;
    seats_returned integer;
    the_refund_cents bigint := 0;
    the_units integer := 0;
begin
    if (return_seats.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. To give all seats back, cancel the booking.'
            )::text;
    end if;

    -- Read the booking and the caller's rights, lock the event, and read them again: they may have changed while this
    -- waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            the_first_answer := ops.first_answer(
                'return_seats', return_seats.idempotency_key,
                jsonb_build_array(return_seats.booking_id, return_seats.seats, is_waived)
            );
            perform events.lock_inventory(the_booking.event_id);
        end if;

        perform users.refuse_erased();
        select b.* into the_booking from events.bookings as b where b.id = return_seats.booking_id;

        is_staff := found and events.is_staff(the_booking.organization_id);
        if the_booking.id is null or (the_booking.customer_id is distinct from ops.caller_id() and not is_staff) then
            raise exception using errcode = 'PT404', message = 'booking_not_found';
        end if;
        if is_waived and not is_staff then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may waive a fee. Omit `waive`.'
                )::text;
        end if;
        if return_seats.idempotency_key is null and the_booking.payment_method not in ('none', 'comp') then
            raise exception using errcode = 'PT400', message = 'idempotency_key_required',
                detail = jsonb_build_object(
                    'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never'
                    ' pays twice.'
                )::text;
        end if;
    end loop;
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', the_booking.customer_id);
    end if;

    if the_booking.status <> 'confirmed' then
        raise exception using errcode = 'PT409', message = 'booking_not_confirmed',
            detail = jsonb_build_object('status', the_booking.status)::text;
    end if;
    select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;
    if the_terms.starts_at <= statement_timestamp() and not is_staff then
        raise exception using errcode = 'PT409', message = 'event_begun',
            detail = jsonb_build_object('starts_at', the_terms.starts_at)::text;
    end if;
    if return_seats.seats > the_booking.seats then
        raise exception using errcode = 'PT409', message = 'seats_not_fewer',
            detail = jsonb_build_object('seats', the_booking.seats)::text;
    end if;

    seats_returned := the_booking.seats - return_seats.seats;
    if seats_returned > 0 then
        is_late := statement_timestamp() > the_terms.starts_at
        - make_interval(hours => coalesce((the_booking.policy ->> 'cancel_hours_before')::integer, 0));

        the_share := the_booking;
        the_share.price_cents := the_booking.price_cents
        - round(the_booking.price_cents::numeric * return_seats.seats / the_booking.seats)::bigint;
        if the_share.price_cents > 0 then
            the_refund_cents := the_share.price_cents - case
                when is_late and not is_waived then events.late_cancellation_cents(the_share)
                else 0
            end;
        end if;
        if
            the_booking.payment_method = 'pass'
            and (
                not is_late or is_waived
                or not coalesce((the_booking.policy ->> 'late_credit_lost')::boolean, true)
            )
        then
            the_units := seats_returned;
        end if;

        update events.bookings as b
        set
            seats = return_seats.seats,
            price_cents = b.price_cents - the_share.price_cents,
            returned_cents = b.returned_cents + the_refund_cents
        where b.id = the_booking.id
        returning b.* into the_booking;

        update events.booking_names as n
        set names = n.names[1:return_seats.seats]
        where n.booking_id = the_booking.id and cardinality(n.names) > return_seats.seats;

        if the_booking.payment_method not in ('none', 'comp') then
            perform payments.refund_seats(
                the_booking.id, 'seats:' || the_booking.seats, the_booking.policy ->> 'refund_to', the_refund_cents,
                the_units
            );
        end if;

        insert into public.outbox (topic, key, payload)
        values ('booking.changed', the_booking.event_id::text, events.booking_payload(the_booking));
        perform events.offer_seats(the_booking.event_id);
    end if;

    return ops.keep_answer(
        'return_seats', return_seats.idempotency_key,
        events.booking_payload(the_booking) - array['organization_id', 'cancelled_at', 'late', 'fee_cents']
        || jsonb_build_object('refund_cents', the_refund_cents, 'units', the_units)
    );
end;
$$;

comment on function events.return_seats(uuid, integer, boolean, text) is
'Give some seats of a confirmed booking back, and keep `seats` of them. Returns the booking.';

grant execute on function events.return_seats(uuid, integer, boolean, text) to authenticated, service_role;
