-- payments.change_intent_method: record that a booking's payment at Stripe is made by another of Stripe's methods.
--
-- The caller holds the event's lock, and changes the payment at Stripe afterwards. Internal.

create or replace function payments.change_intent_method(booking_id uuid, method events.payment_method)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update payments.intents as i
    set method = change_intent_method.method
    where i.booking_id = change_intent_method.booking_id;
$$;

comment on function payments.change_intent_method(uuid, events.payment_method) is
'Record that a booking''s payment at Stripe is made by another of Stripe''s methods.';
