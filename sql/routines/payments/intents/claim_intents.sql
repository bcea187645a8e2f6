-- payments.claim_intents: lease payments that the sweep must create, cancel or fetch at Stripe.
--
-- create: Stripe has no payment yet, or its response was lost. cancel: the seats are no longer reserved, or a package
-- has been unpaid for a day, so it must not be paid any more. fetch: the payment has been open for long, so a webhook
-- may have been missed.
--
-- Takes at most `most` payments and skips locked ones. Each attempt doubles the lease. For the service.

create or replace function payments.claim_intents(most integer default 100, lease_seconds integer default 60)
returns table (
    intent_id uuid,
    action text,
    stripe_payment_intent_id text,
    amount_cents bigint,
    currency text,
    method text,
    metadata jsonb,
    idempotency_key text
)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with due as materialized (
        select i.id
        from payments.intents as i
        where i.status in ('created', 'open', 'processing') and i.available_at <= statement_timestamp()
        order by i.available_at
        limit claim_intents.most
        for update skip locked
    )

    update payments.intents as i
    set
        attempts = i.attempts + 1,
        available_at = statement_timestamp()
        + make_interval(secs => claim_intents.lease_seconds * power(2, least(i.attempts, 8)))
    from due as d
    inner join payments.intents as t on t.id = d.id
    left join events.bookings as b on b.id = t.booking_id
    left join payments.purchases as p on p.id = t.purchase_id
    where i.id = d.id
    returning
        i.id,
        case
            when i.stripe_payment_intent_id is null then 'create'
            when
                i.status = 'open'
                and (
                    b.status <> 'pending_payment' or p.created_at < statement_timestamp() - interval '24 hours'
                )
                then 'cancel'
            else 'fetch'
        end,
        i.stripe_payment_intent_id,
        i.amount_cents,
        i.currency,
        i.method,
        jsonb_build_object(
            'intent_id', i.id, 'booking_id', i.booking_id, 'purchase_id', i.purchase_id,
            'organization_id', i.organization_id
        ),
        'intent-' || i.id;
$$;

comment on function payments.claim_intents(integer, integer) is
'Lease payments that the sweep must create, cancel or fetch at Stripe.';

grant execute on function payments.claim_intents(integer, integer) to service_role;
