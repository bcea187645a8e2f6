-- payments.match_stripe_refund: return the refund that somebody sent by hand at Stripe, or null if none matches.
--
-- For the part of a refund at Stripe that exceeds the unrefunded sale. The candidates are unsent and failed refunds. A
-- refund that Stripe may be processing at the same time does not match. `returned_cents`, the total that Stripe has
-- refunded, shows whether that is possible.
--
-- Takes the smallest refund that is large enough, otherwise the largest. Splits a larger one; its rest stays as it is.
-- The caller has locked the refunds. Internal.

create or replace function payments.match_stripe_refund(
    intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint
)
returns payments.refunds
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    select r.* into the_refund
    from payments.refunds as r
    where
        r.intent_id = (match_stripe_refund.intent).id
        and r.destination = 'original'
        and not r.beyond
        and r.stripe_refund_id is distinct from match_stripe_refund.stripe_id
        and (
            r.status = 'failed'
            or (
                r.status = 'created'
                and (
                    r.attempts = 0
                    or match_stripe_refund.returned_cents + r.amount_cents > (match_stripe_refund.intent).amount_cents
                )
            )
        )
    order by
        r.amount_cents >= match_stripe_refund.amount_cents desc,
        abs(r.amount_cents - match_stripe_refund.amount_cents),
        r.id
    limit 1;

    if the_refund.amount_cents > match_stripe_refund.amount_cents then
        return payments.split_refund(
            the_refund.id, match_stripe_refund.amount_cents, 'stripe:' || match_stripe_refund.stripe_id || ':part'
        );
    end if;

    -- A refund that Stripe could not deliver becomes a new one for Stripe, as if it had been reopened.
    update payments.refunds as r
    set
        status = 'created', status_reason = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + (r.stripe_refund_id is not null)::integer
    where r.id = the_refund.id
    returning r.* into the_refund;

    return the_refund;
end;
$$;

comment on function payments.match_stripe_refund(payments.intents, text, bigint, bigint) is
'Return the refund that somebody sent by hand at Stripe, or null if none matches.';
