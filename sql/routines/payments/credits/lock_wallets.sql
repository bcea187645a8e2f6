-- payments.lock_wallets: make everybody else wait who would change what is in these wallets.
--
-- Lots change only under these locks, so that they and the ledger's balance stay one. In the order of the accounts'
-- ids, after the events' inventories, the sales and the promo codes. Internal.

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

comment on function payments.lock_wallets(uuid[]) is 'Make everybody else wait who would change these wallets.';
