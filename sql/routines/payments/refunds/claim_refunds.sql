-- payments.claim_refunds: refunds that Stripe is to be told of, leased for a while.
--
-- Skips what somebody else has; bounded. The idempotency key belongs to the refund, so that whoever sends it again
-- after a crash sends nothing twice; a refund that Stripe could not deliver and that was reopened gets another one.
-- Stripe forgets a key after a day: look_first says that it may have been sent so long ago, so that it is to be looked
-- for before it is sent. For the service.

create or replace function payments.claim_refunds(most integer default 100, lease_seconds integer default 60)
returns table (
    refund_id uuid,
    stripe_payment_intent_id text,
    amount_cents bigint,
    currency text,
    idempotency_key text,
    reason text,
    look_first boolean
)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with due as materialized (
        select r.id
        from payments.refunds as r
        where r.status = 'created' and r.destination = 'original' and r.available_at <= statement_timestamp()
        order by r.available_at
        limit claim_refunds.most
        for update skip locked
    )

    update payments.refunds as r
    set
        attempts = r.attempts + 1,
        available_at = statement_timestamp() + make_interval(secs => claim_refunds.lease_seconds)
    from due as d, payments.intents as i
    where r.id = d.id and i.id = r.intent_id
    returning
        r.id, i.stripe_payment_intent_id, r.amount_cents, r.currency, payments.refund_key(r), r.cause,
        r.attempts > 1 and r.created_at < statement_timestamp() - interval '20 hours';
$$;

comment on function payments.claim_refunds(integer, integer) is
'Refunds that Stripe is to be told of, leased for a while.';

grant execute on function payments.claim_refunds(integer, integer) to service_role;
