-- payments.payment_answer: return a payment through Stripe as its customer sees it.
--
-- The caller has checked the right to see it. Internal.

create or replace function payments.payment_answer(intent_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'intent_id', i.id,
        'booking_id', i.booking_id,
        'purchase_id', i.purchase_id,
        'method', i.method,
        'amount_cents', i.amount_cents,
        'currency', i.currency,
        'status', i.status,
        'stripe_payment_intent_id', i.stripe_payment_intent_id,
        'client_secret', case when i.status <> 'cancelled' then i.client_secret end,
        'error', i.last_error,
        'expires_at', h.expires_at
    )
    from payments.intents as i
    left join events.bookings as b on b.id = i.booking_id
    left join events.holds as h on h.id = b.hold_id
    where i.id = payment_answer.intent_id;
$$;

comment on function payments.payment_answer(uuid) is 'Return a payment through Stripe as its customer sees it.';
