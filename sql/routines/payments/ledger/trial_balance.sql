-- payments.trial_balance: return debits less credits by currency and type of account, now or at a moment in the past.
--
-- The row of a currency without a type is the currency's total: zero. For the service.

create or replace function payments.trial_balance(at timestamptz default null)
returns table (currency char(3), type payments.account_type, amount_cents bigint)
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
    select b.currency, b.type, sum(b.amount_cents)::bigint
    from (
        select a.currency, a.type, payments.signed_balance(a.id, trial_balance.at) as amount_cents
        from payments.accounts as a
    ) as b
    group by grouping sets ((b.currency, b.type), (b.currency))
    order by b.currency, b.type nulls last;
$$;

comment on function payments.trial_balance(timestamptz) is
'Return debits less credits by currency and type of account, now or at a moment in the past.';

grant execute on function payments.trial_balance(timestamptz) to service_role;
