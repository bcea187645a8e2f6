-- payments.open_balance: a guarded account has a balance from the beginning, since its row is what postings lock.

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
