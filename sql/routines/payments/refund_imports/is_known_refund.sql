-- payments.is_known_refund: whether a refund at Stripe is one of ours, was one before it was sent anew, or was taken
-- over.

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
'Whether a refund at Stripe is one of ours, was one, or was taken over.';
