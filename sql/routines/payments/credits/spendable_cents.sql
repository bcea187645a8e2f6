-- payments.spendable_cents: return the money in a wallet that is neither expired nor frozen, in cents.

create or replace function payments.spendable_cents(account_id uuid)
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(sum(l.remaining), 0)::bigint
    from payments.credit_lots as l
    where
        l.account_id = spendable_cents.account_id
        and l.remaining > 0
        and l.expires_at > statement_timestamp()
        and l.frozen_at is null;
$$;

comment on function payments.spendable_cents(uuid) is
'Return the money in a wallet that is neither expired nor frozen, in cents.';
