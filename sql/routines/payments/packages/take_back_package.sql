-- payments.take_back_package: take back the credits of a package for a refund of `cents`, and post the refund.
--
-- Takes purchased credits in proportion to all refunds of the package, rounded up to whole units, and the same share of
-- the remaining bonus. If nothing refundable remains, or with `whole`, it takes all remaining credits, and the purchase
-- is refunded. The organization bears the part that has expired. Its settings decide whether the platform's share is
-- refunded in proportion.
--
-- The caller has locked the payment, and has checked `cents` against payments.refundable_purchase_cents. Locks the
-- purchase, the wallet, then the lots. Internal.

create or replace function payments.take_back_package(
    purchase_id uuid, cents bigint, posting_key text, whole boolean default false
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases;
    the_live bigint;
    the_live_bonus bigint;
    the_taken bigint;
    the_taken_bonus bigint;
    the_fee_cents bigint;
    is_whole boolean;
begin
    select p.* into the_purchase
    from payments.purchases as p
    where p.id = take_back_package.purchase_id
    for no key update;
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

    is_whole := take_back_package.whole
    or payments.refundable_purchase_cents(the_purchase) <= take_back_package.cents;
    select
        coalesce(sum(l.remaining) filter (where l.source = 'purchase'), 0),
        coalesce(sum(l.remaining) filter (where l.source = 'promotion'), 0)
    into the_live, the_live_bonus
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.expires_at > coalesce(l.frozen_at, statement_timestamp());

    the_taken := case
        when is_whole then the_live
        else least(
            the_live,
            greatest(
                0,
                (
                    the_purchase.credits * (the_purchase.refunded_cents + take_back_package.cents)
                    + the_purchase.amount_cents - 1
                ) / the_purchase.amount_cents - the_purchase.taken_back
            )
        )
    end;
    the_taken_bonus := case
        when is_whole or the_live = 0 then the_live_bonus
        else (the_live_bonus * the_taken + the_live - 1) / the_live
    end;
    the_fee_cents := case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = the_purchase.organization_id
            ),
            true
        ) then
            the_purchase.fee_cents * (the_purchase.refunded_cents + take_back_package.cents)
            / the_purchase.amount_cents - the_purchase.refunded_fee_cents
        else 0
    end;

    -- Credits that returned late may be in lots of their own (payments.return_to_lots).
    with live as (
        select
            l.id,
            l.remaining,
            case l.source when 'purchase' then the_taken else the_taken_bonus end as wanted,
            sum(l.remaining) over (partition by l.source order by l.expires_at, l.id) - l.remaining as earlier
        from payments.credit_lots as l
        where
            l.purchase_id = the_purchase.id and l.remaining > 0
            and l.expires_at > coalesce(l.frozen_at, statement_timestamp())
    ),

    taken as (
        select v.id, least(v.remaining, v.wanted - v.earlier)::bigint as amount
        from live as v
        where v.earlier < v.wanted
    )

    update payments.credit_lots as l
    set remaining = l.remaining - t.amount, lapsed = l.lapsed + t.amount
    from taken as t
    where l.id = t.id;
    perform payments.post_between_owners(
        kind => 'package_refund',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(
            the_purchase, -take_back_package.cents, -(the_taken + the_taken_bonus), -the_fee_cents
        ),
        idempotency_key => take_back_package.posting_key,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

    update payments.purchases as p
    set
        status = case when is_whole then 'refunded' else p.status end,
        refunded_at = case when is_whole then coalesce(p.refunded_at, statement_timestamp()) end,
        refunded_cents = p.refunded_cents + take_back_package.cents,
        refunded_fee_cents = p.refunded_fee_cents + the_fee_cents,
        taken_back = p.taken_back + the_taken
    where p.id = the_purchase.id;
end;
$$;

comment on function payments.take_back_package(uuid, bigint, text, boolean) is
'Take back the credits of a package for a refund of `cents`, and post the refund.';
