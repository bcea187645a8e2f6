-- payments.refund_purchase: take back what is left of a package, and give back its share of the price.
--
-- For accountants, admins and owners of the organization. Credits that were used or have expired are not paid back; the
-- bonus goes without payment. The platform's share goes back in proportion where the organization's settings say so.
-- Once per purchase: asking again answers the same. Locks the wallet, then the lots.
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
    the_left bigint;
    the_bonus_left bigint;
    the_cents bigint;
    the_fee_cents bigint;
    the_refund payments.refunds;
begin
    select p.* into the_purchase
    from payments.purchases as p
    where p.id = refund_purchase.purchase_id
    for no key update;

    if not found or not organizations.caller_is(the_purchase.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    if the_purchase.status = 'refunded' then
        return payments.purchase_answer(the_purchase.id);
    end if;

    if exists (
        select
        from payments.disputes as d
        where d.intent_id = the_purchase.id and d.withdrawn and d.status <> 'lost'
    ) then
        raise exception using errcode = 'PT409', message = 'payment_disputed',
            detail = jsonb_build_object('detail', 'The customer''s bank has taken the payment back.')::text;
    end if;

    perform payments.lock_wallets(array(
        select distinct l.account_id
        from payments.credit_lots as l
        where l.purchase_id = the_purchase.id and l.account_id is not null
    ));
    perform
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id
    order by l.id
    for no key update;

    select
        coalesce(sum(l.remaining) filter (where l.source = 'purchase'), 0),
        coalesce(sum(l.remaining) filter (where l.source = 'promotion'), 0)
    into the_left, the_bonus_left
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

    the_cents := the_purchase.amount_cents * the_left / the_purchase.credits;
    if the_purchase.status <> 'granted' or the_cents = 0 then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund';
    end if;
    the_fee_cents := case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = the_purchase.organization_id
            ),
            true
        ) then the_purchase.fee_cents * the_left / the_purchase.credits
        else 0
    end;

    update payments.credit_lots as l
    set lapsed = l.lapsed + l.remaining, remaining = 0
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

    perform payments.move(
        kind => 'package_refund',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(the_purchase, -the_cents, -(the_left + the_bonus_left), -the_fee_cents),
        idempotency_key => 'package_refund:' || the_purchase.id,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

    update payments.purchases as p
    set status = 'refunded', refunded_at = statement_timestamp(), refunded_cents = the_cents
    where p.id = the_purchase.id;

    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        the_purchase.id, the_purchase.id, the_purchase.organization_id, the_purchase.customer_id, the_cents,
        the_purchase.currency, 'original', 'staff', true
    )
    returning * into the_refund;

    perform payments.settle_by_dispute(the_purchase.id);
    insert into public.outbox (topic, key, payload)
    select 'refund.requested', the_purchase.id::text, payments.refund_payload(r)
    from payments.refunds as r
    where r.id = the_refund.id and r.destination = 'original';
    return payments.purchase_answer(the_purchase.id);
end;
$$;

comment on function payments.refund_purchase(uuid) is
'Take back what is left of a package, and give back its share of the price.';

grant execute on function payments.refund_purchase(uuid) to authenticated, service_role;
