-- payments.split_refund: divide a refund in two, and return the new one, of `amount_cents`.
--
-- The old refund keeps its state and the remaining amount. If it is unsent, its idempotency key at Stripe changes. The
-- new refund waits to be sent. `amount_cents` is less than the whole. The caller has locked the refund. Internal.

create or replace function payments.split_refund(refund_id uuid, amount_cents bigint, cause text)
returns payments.refunds
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_part payments.refunds;
begin
    update payments.refunds as r
    set
        amount_cents = r.amount_cents - split_refund.amount_cents,
        reopened = r.reopened + (r.status = 'created')::integer
    where r.id = split_refund.refund_id;

    insert into payments.refunds (
        booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
        sold
    )
    select
        r.booking_id, r.purchase_id, r.intent_id, r.organization_id, r.customer_id, split_refund.amount_cents,
        r.currency, r.destination, split_refund.cause, r.sold
    from payments.refunds as r
    where r.id = split_refund.refund_id
    returning * into the_part;

    return the_part;
end;
$$;

comment on function payments.split_refund(uuid, bigint, text) is
'Divide a refund in two, and return the new one.';
