-- events.booking_answer: return the response to a new booking, as JSON text.
--
-- The text is stored with the idempotency key and returned unchanged to a retry, so only this routine makes it. All its
-- values are numbers, ids and codes, which need no escaping. `format` therefore suffices, at a third of the cost of
-- json_build_object, which determines the type of each value. Messages about the booking have the same members
-- (events.new_booking_payload).

create or replace function events.booking_answer(
    booking_id uuid,
    event_id uuid,
    customer_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    price_cents bigint,
    currency text
)
returns text
language sql
stable
return format(
    '{"id" : "%s", "event_id" : "%s", "customer_id" : "%s", "seats" : %s, "guest" : %s, "status" : "'
    || case when booking_answer.payment_method in ('card', 'twint') then 'pending_payment' else 'confirmed' end
    || '", "payment_method" : "%s", "price_cents" : ' || booking_answer.price_cents::text
    || ', "currency" : "%s", "created_at" : %s}',
    booking_answer.booking_id,
    booking_answer.event_id,
    booking_answer.customer_id,
    booking_answer.seats,
    booking_answer.guest::text,
    booking_answer.payment_method,
    booking_answer.currency,
    to_json(transaction_timestamp())
);

comment on function events.booking_answer(
    uuid, uuid, uuid, integer, boolean, events.payment_method, bigint, text
) is
'Return the response to a new booking, as JSON text.';
