-- payments.record_intent: keep what Stripe answered when it was asked for a payment.
--
-- For the service. The first answer stays: Stripe's idempotency key makes every later one the same. Its state is told
-- by payments.apply_payment alone.
--
-- Refuses: 404 payment_not_found.

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
'Keep what Stripe answered when it was asked for a payment; answers the payment.';

grant execute on function payments.record_intent(uuid, text, text, text) to service_role;
