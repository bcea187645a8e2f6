-- events.change_payment_method: pay an unpaid booking by another method.
--
-- For the customer and for staff. The price stays the one at which the seats were booked. Card and TWINT share one
-- payment at Stripe, whose methods the caller changes there. A wallet, a pass or an invoice pays at once and confirms
-- the booking. Then the caller or the sweep cancels the payment at Stripe; if it succeeds anyway, it is refunded
-- (payments.fulfil_payment). A repeated call changes nothing. Locks the person, the event's inventory, then the
-- payment. Returns the booking with its payment at Stripe.
--
-- Refuses: 402 payment_required, 404 booking_not_found, 409 insufficient_credits, 409 insufficient_funds,
-- 409 nothing_to_pay, 409 payment_processing, 409 price_changed, 409 promo_code_not_valid, 409 too_many_held.

create or replace function events.change_payment_method(
    booking_id uuid, payment_method events.payment_method, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    the_quote payments.quotes;
    the_intent_status payments.intent_status;
    methods events.payment_method[];
begin
    -- Read the booking and the caller's right to it, lock the person and the event, and read both again: they may have
    -- changed while this waited for the locks.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_person(the_booking.customer_id);
            perform events.lock_inventory(the_booking.event_id);
        end if;

        perform users.refuse_erased();
        select b.* into the_booking from events.bookings as b where b.id = change_payment_method.booking_id;
        if
            not found
            or (the_booking.customer_id = ops.caller_id() or events.is_staff(the_booking.organization_id)) is not true
        then
            raise exception using errcode = 'PT404', message = 'booking_not_found';
        end if;
    end loop;

    select i.status into the_intent_status
    from payments.intents as i
    where i.booking_id = the_booking.id
    for no key update;

    if
        the_booking.payment_method = change_payment_method.payment_method
        and the_booking.status in ('pending_payment', 'confirmed', 'attended', 'no_show')
    then
        return events.payment_method_answer(the_booking);
    end if;
    if the_booking.status <> 'pending_payment' then
        raise exception using errcode = 'PT409', message = 'nothing_to_pay',
            detail = jsonb_build_object(
                'detail', 'The booking is not waiting for a payment. Check its status, or book again.'
            )::text;
    end if;
    if the_intent_status = 'processing' then
        raise exception using errcode = 'PT409', message = 'payment_processing';
    end if;

    select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;
    select q.* into the_quote from payments.quotes as q where q.booking_id = the_booking.id;
    methods := payments.payment_methods(the_quote, the_booking.event_id, the_booking.seats);
    perform payments.require_total(the_quote, change_payment_method.total_cents, methods);

    if change_payment_method.payment_method = 'pass' and the_quote.promo_code_id is not null then
        raise exception using errcode = 'PT409', message = 'promo_code_not_valid',
            detail = jsonb_build_object('reason', 'nothing_to_pay')::text;
    end if;
    perform payments.require_method(the_quote, change_payment_method.payment_method, methods);

    if change_payment_method.payment_method = 'invoice' then
        perform events.limit_invoiced_seats(
            the_terms, the_booking.customer_id, the_booking.seats, the_booking.booked_by
        );
    end if;
    update events.bookings as b
    set
        payment_method = change_payment_method.payment_method,
        price_cents = case when change_payment_method.payment_method = 'pass' then 0 else b.price_cents end
    where b.id = the_booking.id
    returning b.* into the_booking;

    if the_booking.payment_method in ('card', 'twint') then
        perform payments.change_intent_method(the_booking.id, the_booking.payment_method);
    else
        perform events.confirm_paid_booking(the_booking.id);
        perform payments.pay_at_once(the_booking.id);
        perform payments.stop_intent(the_booking.id);
    end if;

    select b.* into the_booking from events.bookings as b where b.id = the_booking.id;
    return events.payment_method_answer(the_booking);
end;
$$;

comment on function events.change_payment_method(uuid, events.payment_method, bigint) is
'Pay an unpaid booking by another method. Returns the booking with its payment at Stripe.';

grant execute on function events.change_payment_method(uuid, events.payment_method, bigint)
to authenticated, service_role;
