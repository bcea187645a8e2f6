-- payments.store_balance_transactions: store Stripe's balance transactions, and post those that nothing else reports.
--
-- `transactions` is an array of {"id", "type", "source_id", "amount_cents", "fee_cents", "net_cents", "currency",
-- "created_at"}. Payouts, account fees and dispute fees enter the ledger only here; charges, refunds and disputes enter
-- it elsewhere. Each is stored once by its id, so repeating it changes nothing. For the service. Returns the number of
-- new ones.

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
'Store Stripe''s balance transactions, and post those that nothing else reports.';

grant execute on function payments.store_balance_transactions(jsonb) to service_role;
