-- payments.dispute_reversals: return how many withdrawals of a dispute were reversed.
--
-- The next withdrawal has this number in its key (payments.dispute_key); so has the present one.

create or replace function payments.dispute_reversals(stripe_id text)
returns integer
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with recursive reversed as (
        select 0 as number
        union all
        select n.number + 1
        from reversed as n
        where exists (
            select
            from payments.transactions as t
            inner join payments.transactions as r on r.reverses_id = t.id
            where t.idempotency_key = payments.dispute_key('dispute', dispute_reversals.stripe_id, n.number)
        )
    )

    select max(n.number) from reversed as n;
$$;

comment on function payments.dispute_reversals(text) is 'Return how many withdrawals of a dispute were reversed.';
