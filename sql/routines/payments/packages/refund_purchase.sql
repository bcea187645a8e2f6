-- payments.refund_purchase: refund the unused part of a package, and take back its credits.
--
-- For accountants, admins and owners of the organization. Used and expired credits are not refunded; the bonus ends
-- without payment. The organization's settings decide whether the platform's share is refunded in proportion. Works
-- once per purchase: repeating it returns the same, also after a full refund at Stripe. Locks the payment, the
-- purchase, the wallet, then the lots.
--
-- Refuses: 404 purchase_not_found, 409 nothing_to_refund, 409 payment_disputed, until the dispute is over.

create or replace function payments.refund_purchase(purchase_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases;
    the_cents bigint := 0;
begin
    select p.* into the_purchase
    from payments.purchases as p
    where p.id = refund_purchase.purchase_id;

    if not found or not organizations.caller_is(the_purchase.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    perform from payments.intents as i where i.id = the_purchase.id for no key update;
    select p.* into the_purchase
    from payments.purchases as p
    where p.id = refund_purchase.purchase_id
    for no key update;
    -- The caller may have lost the role while this waited.
    if not organizations.caller_is(the_purchase.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    if the_purchase.status = 'refunded' then
        return payments.purchase_answer(the_purchase.id);
    end if;

    if payments.is_withdrawn(the_purchase.id) then
        raise exception using errcode = 'PT409', message = 'payment_disputed',
            detail = jsonb_build_object(
                'detail', 'The customer''s bank has reversed the payment. Wait until the dispute is closed.'
            )::text;
    end if;

    if the_purchase.status = 'granted' then
        the_cents := payments.return_purchase(the_purchase, 'staff');
    end if;
    -- The same, while this waited for the wallet.
    if not organizations.caller_is(the_purchase.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    if the_cents = 0 then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund';
    end if;
    return payments.purchase_answer(the_purchase.id);
end;
$$;

comment on function payments.refund_purchase(uuid) is 'Refund the unused part of a package, and take back its credits.';

grant execute on function payments.refund_purchase(uuid) to authenticated, service_role;
