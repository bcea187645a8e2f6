-- payments.stop_intent: stop the payment at Stripe of a booking that was paid by another method.
--
-- The sweep cancels it at Stripe. A payment that Stripe does not have yet is cancelled here, so that nobody creates it.
-- The caller holds the event's lock. Internal.

create or replace function payments.stop_intent(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update payments.intents as i
    set status = 'cancelled'
    where
        i.booking_id = stop_intent.booking_id and i.status = 'created' and i.stripe_payment_intent_id is null;
    perform payments.stop_payments(array[stop_intent.booking_id]);
end;
$$;

comment on function payments.stop_intent(uuid) is
'Stop the payment at Stripe of a booking that was paid by another method.';
