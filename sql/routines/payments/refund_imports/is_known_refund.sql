-- payments.is_known_refund: return whether a refund at Stripe is recorded here, under its present or a former id.

create or replace function payments.is_known_refund(intent_id uuid, stripe_id text)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from payments.refunds as r
        where
            r.intent_id = is_known_refund.intent_id
            and (
                r.stripe_refund_id = is_known_refund.stripe_id
                or is_known_refund.stripe_id = any (r.earlier_stripe_ids)
                or r.cause = 'stripe:' || is_known_refund.stripe_id
                or starts_with(r.cause, 'stripe:' || is_known_refund.stripe_id || ':')
            )
    );
$$;

comment on function payments.is_known_refund(uuid, text) is
'Return whether a refund at Stripe is recorded here, under its present or a former id.';
