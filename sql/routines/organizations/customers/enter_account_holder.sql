-- organizations.enter_account_holder: enter the person of a new account, such as a wallet.

create or replace function organizations.enter_account_holder()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform organizations.enter_customer(new.organization_id, new.owner_id);
    return null;
end;
$$;

create or replace trigger enter_account_holder after insert on payments.accounts
for each row when (new.owner_kind = 'user' and new.organization_id is not null)
execute function organizations.enter_account_holder();
