-- payments.adopt_refund: find the refund of ours whose money somebody has sent back by hand, at Stripe.
--
-- For what went back there beyond what was left of the sale. It is one that was not sent yet, or that failed; not one
-- that Stripe may be taking at this moment beside the other (returned_cents is what Stripe has sent back in all). Where
-- ours is of more, the rest of it stays as it is, to be sent by another key. The caller has locked the refunds.
-- Internal. Answers the refund to be brought to Stripe's state; null when there is none.

create or replace function payments.adopt_refund(
    intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    the_refund payments.refunds;
    the_part_id uuid;
begin
    select r.* into the_refund
    from payments.refunds as r
    where
        r.intent_id = (adopt_refund.intent).id
        and r.destination = 'original'
        and r.amount_cents >= adopt_refund.amount_cents
        and (
            r.status = 'failed'
            or (
                r.status = 'created'
                and (
                    r.attempts = 0
                    or adopt_refund.returned_cents + r.amount_cents > (adopt_refund.intent).amount_cents
                )
            )
        )
    order by r.amount_cents, r.id
    limit 1;

    if the_refund.amount_cents = adopt_refund.amount_cents then
        -- One that Stripe could not deliver is another one to it now, as if it had been reopened.
        update payments.refunds as r
        set
            status = 'created', status_reason = null, stripe_refund_id = null,
            reopened = r.reopened + (r.stripe_refund_id is not null)::integer
        where r.id = the_refund.id;
        return the_refund.id;
    end if;

    update payments.refunds as r
    set
        amount_cents = r.amount_cents - adopt_refund.amount_cents,
        reopened = r.reopened + (r.status = 'created')::integer
    where r.id = the_refund.id;

    insert into payments.refunds (
        booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    select
        r.booking_id, r.intent_id, r.organization_id, r.customer_id, adopt_refund.amount_cents, r.currency,
        r.destination, 'stripe:' || adopt_refund.stripe_id, r.sold
    from payments.refunds as r
    where r.id = the_refund.id
    returning id into the_part_id;

    return the_part_id;
end;
$$;

comment on function payments.adopt_refund(payments.intents, text, bigint, bigint) is
'Find the refund of ours whose money somebody has sent back by hand.';
