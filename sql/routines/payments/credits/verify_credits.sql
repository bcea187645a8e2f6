-- payments.verify_credits: wallets and lots that are not what their history makes them; none is healthy.
--
-- A wallet's lots hold together what the ledger says it holds, and a lot has left what was given, less what was used
-- and not returned, less what lapsed. One statement, so that money on its way is not mistaken for money lost. For the
-- service.

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
'Wallets and lots that are not what their history makes them; none is healthy.';

grant execute on function payments.verify_credits(integer) to service_role;
