-- events.booking_answer: what a caller is told about a booking that was just made.
--
-- The text is kept with the idempotency key and given again to the letter, so it is made here and nowhere else.

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
return json_build_object(
    'id', booking_answer.booking_id,
    'event_id', booking_answer.event_id,
    'customer_id', booking_answer.customer_id,
    'seats', booking_answer.seats,
    'guest', booking_answer.guest,
    'status', case when booking_answer.payment_method in ('card', 'twint') then 'pending_payment' else 'confirmed' end,
    'payment_method', booking_answer.payment_method,
    'price_cents', booking_answer.price_cents,
    'currency', booking_answer.currency,
    'created_at', transaction_timestamp()
)::text;

comment on function events.booking_answer(
    uuid, uuid, uuid, integer, boolean, events.payment_method, bigint, text
) is
'The answer to a booking request, as JSON text.';
