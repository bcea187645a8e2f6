-- payments.purchase_first_answer: return the first response to a purchase, completed by Stripe's response.
--
-- `answer` was stored before the request to Stripe. Later changes of the purchase are not in it. Internal.

create or replace function payments.purchase_first_answer(answer jsonb)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_set(
        purchase_first_answer.answer, '{payment}',
        purchase_first_answer.answer -> 'payment' || jsonb_build_object(
            'stripe_payment_intent_id', i.stripe_payment_intent_id,
            'client_secret', i.client_secret,
            'status', case
                when i.stripe_payment_intent_id is not null then 'open'
                when i.status = 'cancelled' then 'cancelled'
                else 'created'
            end,
            'error', case when i.stripe_payment_intent_id is null then i.last_error end
        )
    )
    from payments.intents as i
    where i.purchase_id = (purchase_first_answer.answer ->> 'id')::uuid;
$$;

comment on function payments.purchase_first_answer(jsonb) is
'Return the first response to a purchase, completed by Stripe''s response.';
