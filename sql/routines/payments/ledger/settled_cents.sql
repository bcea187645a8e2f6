-- payments.settled_cents: return debits less credits of all settlements of a receivable account.
--
-- Adds the entries after the last counted seal to payments.settlement_totals, so it is exact and reads a few rows.
-- Internal.

create or replace function payments.settled_cents(account_id uuid)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(max(c.settled_cents), 0)::bigint + coalesce(sum(l.amount_cents), 0)::bigint
    from (select settled_cents.account_id as id) as a
    left join payments.settlement_totals as c on c.account_id = a.id
    left join lateral (
        select m.amount_cents
        from (
            select s.transaction_id, s.amount_cents
            from payments.seals as s
            where s.account_id = a.id and s.position > coalesce(c.position, 0)
            union all
            select u.transaction_id, u.amount_cents
            from payments.unsealed_entries as u
            where u.account_id = a.id
        ) as m
        inner join payments.transactions as t on t.id = m.transaction_id
        left join payments.transactions as o on o.id = t.reverses_id
        where payments.movement_group(coalesce(o.kind, t.kind)) = 'settlement'
    ) as l on true;
$$;

comment on function payments.settled_cents(uuid) is
'Return debits less credits of all settlements of a receivable account.';
