-- payments.fulfil_purchase: give a customer the credits of a paid purchase, once.
--
-- A late payment buys them too, because credits are not scarce. The wallet receives the package's credits, whatever
-- their price: the organization pays the difference. It also pays the bonus, which is a lot of its own. A pass earns
-- the organization its price less the platform's share; wallet money earns nothing until it is spent.
--
-- The caller has locked the payment. Locks the wallet. Notifies the customer. Internal. Returns {granted}, or nothing
-- when the credits were given before.

create or replace function payments.fulfil_purchase(purchase_id uuid)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases;
    the_wallet_id uuid;
    the_expiry timestamptz;
begin
    update payments.purchases as p
    set status = 'granted', granted_at = statement_timestamp()
    where p.id = fulfil_purchase.purchase_id and p.status in ('pending', 'expired')
    returning p.* into the_purchase;

    if not found then
        return '{}';
    end if;

    the_expiry := coalesce(
        payments.expiry(the_purchase.organization_id, the_purchase.valid_days), 'infinity'
    );
    if the_purchase.kind = 'wallet' then
        the_wallet_id := payments.account(
            'user', the_purchase.customer_id, 'credits', the_purchase.currency, the_purchase.organization_id
        );
        perform payments.lock_wallets(array[the_wallet_id]);
    end if;

    perform payments.post_between_owners(
        kind => 'package_sold',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(
            the_purchase, the_purchase.amount_cents, the_purchase.credits, the_purchase.fee_cents
        ),
        idempotency_key => 'package:' || the_purchase.id,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

    insert into payments.credit_lots (
        kind, source, organization_id, customer_id, account_id, currency, amount, remaining, expires_at, categories,
        purchase_id
    )
    select
        the_purchase.kind, l.source::payments.credit_source, the_purchase.organization_id, the_purchase.customer_id,
        the_wallet_id, case when the_purchase.kind = 'wallet' then the_purchase.currency end, l.amount, l.amount,
        the_expiry, the_purchase.categories, the_purchase.id
    from (
        values
        ('purchase', the_purchase.credits::bigint),
        ('promotion', case when the_purchase.kind = 'pass' then the_purchase.bonus::bigint else 0 end)
    ) as l (source, amount)
    where l.amount > 0;

    if the_purchase.kind = 'wallet' and the_purchase.bonus > 0 then
        perform payments.grant_money(
            organization_id => the_purchase.organization_id, customer_id => the_purchase.customer_id,
            amount_cents => the_purchase.bonus, currency => the_purchase.currency, source => 'promotion',
            idempotency_key => 'package_bonus:' || the_purchase.id, expires_at => the_expiry,
            purchase_id => the_purchase.id
        );
    end if;
    perform payments.notify_credits(l.id, the_purchase.bonus)
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.source = 'purchase';
    return array['granted'];
end;
$$;

comment on function payments.fulfil_purchase(uuid) is 'Give a customer the credits of a paid purchase, once.';
