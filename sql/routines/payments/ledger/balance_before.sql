-- payments.balance_before: return the balance of an account just before a moment, or zero without an account.
--
-- In the account's normal sign. Internal.

create or replace function payments.balance_before(account_id uuid, moment timestamptz)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select payments.normal_side(a.type)
                * payments.signed_balance(a.id, balance_before.moment - interval '1 microsecond')
            from payments.accounts as a
            where a.id = balance_before.account_id
        ),
        0
    )::bigint;
$$;

comment on function payments.balance_before(uuid, timestamptz) is
'Return the balance of an account just before a moment, or zero without an account.';
