-- payments.account: return the account of an owner by type and currency, and create a missing one.
--
-- `owner_id` is null for the platform only. `organization_id` is set for a user's account within an organization (a
-- wallet). Concurrent calls for the same new account wait for the first and return the same one.

create or replace function payments.account(
    owner_kind payments.owner_kind,
    owner_id uuid,
    type payments.account_type,
    currency char(3),
    organization_id uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_account_id uuid;
begin
    for attempt in 1..2 loop
        -- `is not distinct from` cannot use the index.
        select a.id into the_account_id
        from payments.accounts as a
        where
            a.owner_kind = account.owner_kind
            and (a.owner_id = account.owner_id or (a.owner_id is null and account.owner_id is null))
            and a.type = account.type
            and a.currency = account.currency
            and (a.organization_id = account.organization_id
                or (a.organization_id is null and account.organization_id is null));

        exit when the_account_id is not null;

        insert into payments.accounts as a (owner_kind, owner_id, type, currency, organization_id)
        values (account.owner_kind, account.owner_id, account.type, account.currency, account.organization_id)
        on conflict on constraint one_account_per_owner_type_and_currency do nothing
        returning a.id into the_account_id;

        exit when the_account_id is not null;
    end loop;
    return the_account_id;
end;
$$;

comment on function payments.account(payments.owner_kind, uuid, payments.account_type, char, uuid) is
'Return the account of an owner by type and currency, and create a missing one.';

grant execute on function payments.account(payments.owner_kind, uuid, payments.account_type, char, uuid)
to service_role;
