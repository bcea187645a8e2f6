-- payments.claim_refunds: lease refunds that the sweep must send to Stripe.
--
-- Takes at most `most` refunds and skips locked ones. The idempotency key belongs to the refund, so a retry after a
-- crash refunds nothing twice. A reopened refund has a new key. Stripe forgets a key after a day. `look_first` marks
-- refunds whose first attempt may be that old: the sweep searches for them at Stripe first. For the service.

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

comment on function payments.claim_refunds(integer, integer) is 'Lease refunds that the sweep must send to Stripe.';

grant execute on function payments.claim_refunds(integer, integer) to service_role;
