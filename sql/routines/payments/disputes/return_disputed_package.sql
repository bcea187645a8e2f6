-- payments.return_disputed_package: take back credits of a package that the customer's bank has refunded.
--
-- The caller has locked the payment. Internal. Returns the number of refunds: 1, or zero for an amount of zero.

create or replace function payments.return_disputed_package(purchase_id uuid, cents bigint)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    if return_disputed_package.cents = 0 then
        return 0;
    end if;
    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    select
        p.id, p.id, p.organization_id, p.customer_id, return_disputed_package.cents, p.currency, 'original',
        'dispute:lost:' || (
            select count(*) from payments.refunds as r where r.purchase_id = p.id and starts_with(r.cause, 'dispute:lost:')
        ),
        true
    from payments.purchases as p
    where p.id = return_disputed_package.purchase_id
    returning * into the_refund;
    perform payments.take_back_package(
        the_refund.purchase_id, the_refund.amount_cents,
        'package_refund:' || the_refund.purchase_id || ':' || the_refund.id
    );
    perform payments.complete_refund_by_dispute(the_refund.id);
    return 1;
end;
$$;

comment on function payments.return_disputed_package(uuid, bigint) is
'Take back credits of a package that the customer''s bank has refunded.';
