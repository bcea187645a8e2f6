-- payments.store_balance_transactions: keep what Stripe lists of its balance, and book what only that list tells.
--
-- transactions is an array of {"id", "type", "source_id", "amount_cents", "fee_cents", "net_cents", "currency",
-- "created_at"}. Payouts, fees of the account and fees of disputes have no other way into the ledger; charges, refunds
-- and disputes have. Each once by its id, so listing again changes nothing. For the service. Answers how many were new.

create or replace function payments.store_balance_transactions(transactions jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_transaction payments.balance_transactions;
    stored integer := 0;
begin
    for the_transaction in
        insert into payments.balance_transactions (
            id, type, source_id, amount_cents, fee_cents, net_cents, currency, created_at
        )
        select t.id, t.type, t.source_id, t.amount_cents, t.fee_cents, t.net_cents, upper(t.currency), t.created_at
        from jsonb_to_recordset(store_balance_transactions.transactions) as t (
            id text, type text, source_id text, amount_cents bigint, fee_cents bigint, net_cents bigint, currency text,
            created_at timestamptz
        )
        order by t.id
        on conflict do nothing
        returning *
    loop
        stored := stored + 1;
        perform payments.post_balance_transaction(the_transaction);
    end loop;
    return stored;
end;
$$;

comment on function payments.store_balance_transactions(jsonb) is
'Keep what Stripe lists of its balance, and book what only that list tells.';

grant execute on function payments.store_balance_transactions(jsonb) to service_role;
