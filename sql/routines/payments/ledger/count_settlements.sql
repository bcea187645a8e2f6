-- payments.count_settlements: add new seals of receivable accounts to payments.settlement_totals.
--
-- Counts at most `most` seals. Accounts with more uncounted seals are continued in the next run; meanwhile
-- payments.settled_cents reads these seals itself. After a change of payments.movement_group, empty the table by a
-- migration. Runs within payments.seal_entries, whose lock lets one run at a time. Repeating it changes nothing.
-- Internal.

create or replace function payments.count_settlements(most integer default 20000)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    behind record;
    remaining integer := count_settlements.most;
    counted integer;
begin
    for behind in
        select a.id as account_id, coalesce(c.position, 0) as position
        from payments.accounts as a
        left join payments.settlement_totals as c on c.account_id = a.id
        cross join lateral (
            select s.position
            from payments.seals as s
            where s.account_id = a.id
            order by s.position desc
            limit 1
        ) as h
        where a.owner_kind = 'organization' and a.type = 'receivable' and h.position > coalesce(c.position, 0)
        order by a.id
    loop
        exit when remaining <= 0;

        with due as (
            select s.position, s.transaction_id, s.amount_cents
            from payments.seals as s
            where s.account_id = behind.account_id and s.position > behind.position
            order by s.position
            limit remaining
        )

        insert into payments.settlement_totals as c (account_id, position, settled_cents)
        select
            behind.account_id,
            max(d.position),
            coalesce(sum(d.amount_cents) filter (
                where payments.movement_group(coalesce(o.kind, t.kind)) = 'settlement'
            ), 0)
        from due as d
        inner join payments.transactions as t on t.id = d.transaction_id
        left join payments.transactions as o on o.id = t.reverses_id
        on conflict (account_id) do update
        set position = excluded.position, settled_cents = c.settled_cents + excluded.settled_cents
        returning c.position - behind.position into counted;

        remaining := remaining - counted;
    end loop;
end;
$$;

comment on function payments.count_settlements(integer) is
'Add new seals of receivable accounts to payments.settlement_totals.';
