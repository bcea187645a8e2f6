-- payments.return_purchase: refund the unused part of a package, take back its credits, and return the cents.
--
-- The money returns the way it came: through Stripe, or at the desk that took it. If `by_stripe` is false, it goes to
-- the organization's account of unclaimed balances. Used and expired credits are not refunded; the remaining bonus
-- lapses, and a spent bonus is deducted. The organization's settings decide whether the platform's share is refunded in
-- proportion.
--
-- The caller has locked the payment and the purchase, which is granted and not disputed. Locks the wallet, then the
-- lots. Internal. Returns zero when nothing was refunded.

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
    the_spent_bonus bigint;
    the_cents bigint;
    the_refund payments.refunds;
    at_desk boolean := the_purchase.method in ('cash', 'terminal');
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
        coalesce(
            sum(l.remaining) filter (where l.source = 'purchase' and l.expires_at > statement_timestamp()), 0
        ),
        coalesce(sum(l.amount - l.lapsed - l.remaining) filter (where l.source = 'promotion'), 0)
    into the_unused, the_spent_bonus
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id;
    if the_unused = 0 then
        return 0;
    end if;
    -- An earlier refund at Stripe may have taken a whole unit for a part of its price.
    the_cents := least(
        payments.refundable_purchase_cents(the_purchase),
        the_purchase.amount_cents * greatest(0, the_unused + the_purchase.taken_back - the_spent_bonus)
        / the_purchase.credits - the_purchase.refunded_cents
    );
    if the_cents <= 0 then
        return 0;
    end if;

    perform payments.take_back_package(the_purchase.id, the_cents, 'package_refund:' || the_purchase.id, whole => true);

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
        the_purchase.id, case when not at_desk then the_purchase.id end, the_purchase.organization_id,
        the_purchase.customer_id, the_cents, the_purchase.currency, case when at_desk then 'till' else 'original' end,
        return_purchase.cause, true
    )
    returning * into the_refund;
    perform payments.apply_lost_dispute(the_purchase.id);

    insert into public.outbox (topic, key, payload)
    select 'refund.requested', the_purchase.id::text, payments.refund_payload(r)
    from payments.refunds as r
    where r.id = the_refund.id and r.destination in ('original', 'till');
    return the_cents;
end;
$$;

comment on function payments.return_purchase(payments.purchases, text, boolean) is
'Refund the unused part of a package, take back its credits, and return the cents.';
