-- payments.balance: return the balance of an account in its normal sign, now or at a moment in the past.
--
-- Exact, and fast for any length of history. It adds the balance of the last seal before the moment, the entries that
-- were sealed out of order, and the unsealed entries. One statement reads them in one snapshot. `at` refers to
-- recorded_at. Runs with the caller's rights: row security decides who may see the account.
--
-- Refuses: 404 account_not_found.

create or replace function payments.balance(account_id uuid, at timestamptz default null)
returns bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
    the_balance_cents bigint;
begin
    select payments.normal_side(a.type) * payments.signed_balance(a.id, balance.at)
    into the_balance_cents
    from payments.accounts as a
    where a.id = balance.account_id;

    if not found then
        raise exception using errcode = 'PT404', message = 'account_not_found',
            detail = jsonb_build_object('account_id', balance.account_id)::text;
    end if;
    return the_balance_cents;
end;
$$;

comment on function payments.balance(uuid, timestamptz) is
'Return the balance of an account in its normal sign, now or at a moment in the past.';

grant execute on function payments.balance(uuid, timestamptz) to app_read, app_write;
