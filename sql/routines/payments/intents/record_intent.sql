-- payments.record_intent: record the ids that Stripe returned for a new payment.
--
-- For the service. The first response stays, because Stripe's idempotency key makes every later one the same. Only
-- payments.apply_payment sets later states. Returns the payment.
--
-- Refuses: 404 payment_not_found, also when Stripe has cancelled the payment.

create or replace function payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_intent payments.intents;
begin
    update payments.intents as i
    set
        stripe_payment_intent_id = coalesce(i.stripe_payment_intent_id, record_intent.stripe_id),
        client_secret = coalesce(i.client_secret, record_intent.client_secret),
        status = case when i.status = 'created' then 'open' else i.status end,
        attempts = 0,
        last_error = null,
        available_at = statement_timestamp() + interval '20 minutes'
    where i.id = record_intent.intent_id and record_intent.status <> 'canceled'
    returning i.* into the_intent;

    if not found then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;
    return payments.payment_answer(the_intent.id);
end;
$$;

comment on function payments.record_intent(uuid, text, text, text) is
'Record the ids that Stripe returned for a new payment.';

grant execute on function payments.record_intent(uuid, text, text, text) to service_role;
