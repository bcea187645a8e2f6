-- payments.open_balance: insert the balance of a new guarded account.
--
-- Trigger of payments.accounts. Postings lock this row, so it must exist before the first one.

create or replace function payments.open_balance()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into payments.balances (account_id) values (new.id);
    return null;
end;
$$;

create or replace trigger open_balance after insert on payments.accounts
for each row when (new.guarded) execute function payments.open_balance();
