-- payments.check_refunds: refuse refunds that together exceed their payment.
--
-- Trigger of payments.refunds. Every refund counts, in whatever way the money returned: by Stripe, through a dispute,
-- to the wallet. Excess refunds do not count, because the customer owes them. A refund of an erased person's wallet
-- moves money that another refund has counted; it counts only for the amount that Stripe returns. Locks the payment, so
-- that two transactions cannot both use its last cent.

create or replace function payments.check_refunds()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_paid_cents bigint;
    the_refunded_cents bigint;
    by_stripe_cents bigint;
begin
    select i.amount_cents into the_paid_cents
    from payments.intents as i
    where i.id = new.intent_id
    for no key update;

    select
        sum(r.amount_cents) filter (where not starts_with(r.cause, 'erased:')),
        sum(r.amount_cents) filter (where r.destination in ('original', 'dispute'))
    into the_refunded_cents, by_stripe_cents
    from payments.refunds as r
    where r.intent_id = new.intent_id and not r.beyond;

    if greatest(the_refunded_cents, by_stripe_cents) > the_paid_cents then
        raise exception using errcode = 'check_violation', constraint = 'refunds_never_exceed_the_payment',
            message = 'refunds_never_exceed_the_payment',
            detail = 'The refunds of payment ' || new.intent_id || ' exceed its ' || the_paid_cents || ' cents.';
    end if;
    return null;
end;
$$;

create or replace trigger refunds_never_exceed_the_payment
after insert or update of amount_cents, beyond, destination, intent_id on payments.refunds
for each row when (new.intent_id is not null and not new.beyond) execute function payments.check_refunds();
