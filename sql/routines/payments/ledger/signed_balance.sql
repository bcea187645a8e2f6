-- payments.signed_balance: return debits less credits of an account, now or at a moment in the past.
--
-- Runs with the caller's rights. Balances of several accounts in one statement come from one snapshot.

create or replace function payments.signed_balance(account_id uuid, at timestamptz default null)
returns bigint
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
    select
        (coalesce((
            select s.balance_cents
            from payments.seals as s
            where
                s.account_id = signed_balance.account_id
                and s.latest_recorded_at <= coalesce(signed_balance.at, 'infinity')
            order by s.latest_recorded_at desc, s.position desc
            limit 1
        ), 0)
        + coalesce((
            select sum(s.amount_cents)
            from payments.seals as s
            where
                s.account_id = signed_balance.account_id
                and s.recorded_at <= signed_balance.at
                and s.recorded_at < s.latest_recorded_at
                and s.latest_recorded_at > signed_balance.at
        ), 0)
        + coalesce((
            select sum(u.amount_cents)
            from payments.unsealed_entries as u
            where
                u.account_id = signed_balance.account_id
                and u.recorded_at <= coalesce(signed_balance.at, 'infinity')
        ), 0))::bigint;
$$;

comment on function payments.signed_balance(uuid, timestamptz) is
'Return debits less credits of an account, now or at a moment in the past.';

grant execute on function payments.signed_balance(uuid, timestamptz) to app_read, app_write;
