-- payments.account_movements: return the entries of an account that were recorded in a period.
--
-- `begins_at` is included, `ends_at` is not. Amounts have the account's normal sign. A reversal has the kind of the
-- transaction that it reverses. Internal.

create or replace function payments.account_movements(account_id uuid, begins_at timestamptz, ends_at timestamptz)
returns table (
    transaction_id uuid, kind text, reference_type text, reference_id uuid, recorded_at timestamptz, amount_cents bigint
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        t.id,
        coalesce(o.kind, t.kind),
        t.reference_type,
        t.reference_id,
        t.recorded_at,
        (payments.normal_side(a.type) * l.amount_cents)::bigint
    from payments.accounts as a
    cross join lateral (
        select s.transaction_id, s.amount_cents
        from payments.seals as s
        where
            s.account_id = a.id
            and s.latest_recorded_at >= account_movements.begins_at
            and s.recorded_at >= account_movements.begins_at
            and s.recorded_at < account_movements.ends_at
        union all
        select u.transaction_id, u.amount_cents
        from payments.unsealed_entries as u
        where
            u.account_id = a.id
            and u.recorded_at >= account_movements.begins_at
            and u.recorded_at < account_movements.ends_at
    ) as l
    inner join payments.transactions as t on t.id = l.transaction_id
    left join payments.transactions as o on o.id = t.reverses_id
    where a.id = account_movements.account_id
    order by t.recorded_at, t.id;
$$;

comment on function payments.account_movements(uuid, timestamptz, timestamptz) is
'Return the entries of an account that were recorded in a period.';
