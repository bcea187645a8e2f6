-- payments.can_be_refunded: return whether Stripe can refund an amount of a payment.
--
-- The payment must have succeeded in the last 180 days, have no open dispute, and have `amount_cents` that neither
-- refunds nor lost disputes have taken. TWINT refuses refunds after 180 days, and card refunds fail more often the
-- older the payment is. False without a payment.

create or replace function payments.can_be_refunded(intent_id uuid, amount_cents bigint default 0)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.intents as i
        where
            i.id = can_be_refunded.intent_id
            and i.status = 'succeeded'
            and i.stripe_payment_intent_id is not null
            and i.succeeded_at > statement_timestamp() - interval '4320 hours'
            and not payments.is_withdrawn(i.id)
            and i.amount_cents - (
                select coalesce(sum(r.amount_cents), 0)
                from payments.refunds as r
                where r.intent_id = i.id and r.destination in ('original', 'dispute')
            ) - greatest(payments.dispute_cover(i.id), 0) >= can_be_refunded.amount_cents
    );
$$;

comment on function payments.can_be_refunded(uuid, bigint) is
'Return whether Stripe can refund an amount of a payment.';
