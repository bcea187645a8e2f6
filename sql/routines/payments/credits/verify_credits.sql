-- payments.verify_credits: return wallets and lots that contradict their history; an empty result is healthy.
--
-- The lots of a wallet must add up to its balance in the ledger. The remaining amount of a lot must be its amount, less
-- the uses that were not returned, less the expired amount. One statement reads everything, so that a concurrent change
-- is not taken for a difference. For the service.

create or replace function payments.verify_credits(most integer default 1000)
returns table (finding text, account_id uuid, lot_id uuid, expected bigint, found bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select 'wallet_differs_from_its_lots', b.account_id, null::uuid, b.balance_cents::bigint, v.remaining
    from payments.balances as b
    inner join payments.accounts as a on a.id = b.account_id and a.type = 'credits'
    cross join lateral (
        select coalesce(sum(l.remaining), 0)::bigint as remaining
        from payments.credit_lots as l
        where l.account_id = b.account_id
    ) as v
    where b.balance_cents <> v.remaining
    union all
    select 'lot_differs_from_its_uses', l.account_id, l.id, l.amount - l.lapsed - u.used, l.remaining
    from payments.credit_lots as l
    cross join lateral (
        select coalesce(sum(u.amount - u.returned), 0)::bigint as used
        from payments.credit_uses as u
        where u.lot_id = l.id
    ) as u
    where l.remaining <> l.amount - l.lapsed - u.used
    limit verify_credits.most;
$$;

comment on function payments.verify_credits(integer) is
'Return wallets and lots that contradict their history; an empty result is healthy.';

grant execute on function payments.verify_credits(integer) to service_role;
