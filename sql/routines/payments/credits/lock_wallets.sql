-- payments.lock_wallets: lock wallets, so that nobody else changes their balances or lots.
--
-- Lots change only under these locks, so that the lots of a wallet always add up to its balance in the ledger. Locks
-- the balances in the order of their accounts' ids, after the events' inventories, the sales and the promo codes.
-- Internal.

create or replace function payments.lock_wallets(account_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from payments.balances as b
    where b.account_id = any (lock_wallets.account_ids)
    order by b.account_id
    for no key update;
end;
$$;

comment on function payments.lock_wallets(uuid[]) is
'Lock wallets, so that nobody else changes their balances or lots.';
