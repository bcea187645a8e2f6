-- payments.return_purchase: refund the unused part of a package, take back its credits, and return the cents.
--
-- The money returns through Stripe, or goes to the organization's account of unclaimed balances if `by_stripe` is
-- false. Used and expired credits are not refunded; the bonus expires. The organization's settings decide whether the
-- platform's share is refunded in proportion.
--
-- The caller has locked the purchase, which is granted and not disputed. Locks the wallet, then the lots. Internal.
-- Returns zero when nothing was refunded.

create or replace function payments.return_purchase(
    purchase payments.purchases, cause text, by_stripe boolean default true
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases := return_purchase.purchase;
    the_unused bigint;
    the_unused_bonus bigint;
    the_cents bigint;
    the_fee_cents bigint;
    the_refund payments.refunds;
begin
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
    into the_unused, the_unused_bonus
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

    the_cents := the_purchase.amount_cents * the_unused / the_purchase.credits;
    if the_cents = 0 then
        return 0;
    end if;
    the_fee_cents := case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = the_purchase.organization_id
            ),
            true
        ) then the_purchase.fee_cents * the_unused / the_purchase.credits
        else 0
    end;

    update payments.credit_lots as l
    set lapsed = l.lapsed + l.remaining, remaining = 0
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

    perform payments.post_between_owners(
        kind => 'package_refund',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(the_purchase, -the_cents, -(the_unused + the_unused_bonus), -the_fee_cents),
        idempotency_key => 'package_refund:' || the_purchase.id,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

    update payments.purchases as p
    set status = 'refunded', refunded_at = statement_timestamp(), refunded_cents = the_cents
    where p.id = the_purchase.id;

    if not return_purchase.by_stripe then
        perform payments.post_unclaimed_balance(
            the_purchase.customer_id, the_purchase.organization_id, the_cents, the_purchase.currency,
            'package_set_aside:' || the_purchase.id, 'purchase', the_purchase.id
        );
        return the_cents;
    end if;

    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        the_purchase.id, the_purchase.id, the_purchase.organization_id, the_purchase.customer_id, the_cents,
        the_purchase.currency, 'original', return_purchase.cause, true
    )
    returning * into the_refund;

    perform payments.apply_lost_dispute(the_purchase.id);
    insert into public.outbox (topic, key, payload)
    select 'refund.requested', the_purchase.id::text, payments.refund_payload(r)
    from payments.refunds as r
    where r.id = the_refund.id and r.destination = 'original';
    return the_cents;
end;
$$;

comment on function payments.return_purchase(payments.purchases, text, boolean) is
'Refund the unused part of a package, take back its credits, and return the cents.';
