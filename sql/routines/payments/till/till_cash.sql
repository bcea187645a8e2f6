-- payments.till_cash: return the cash in a till now, in cents.
--
-- The rest of the last count, and the movements of the days after it, so the cost depends on the open days. Internal.

create or replace function payments.till_cash(till payments.tills)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(max(c.counted_cents - c.deposited_cents), 0)::bigint + coalesce(sum(m.amount_cents), 0)::bigint
    from (select (till_cash.till).id as till_id) as t
    left join lateral (
        select c.day, c.counted_cents, c.deposited_cents
        from payments.till_closings as c
        where c.till_id = t.till_id
        order by c.day desc
        limit 1
    ) as c on true
    left join payments.till_movements as m
        on m.till_id = t.till_id and m.method = 'cash' and m.day > coalesce(c.day, '-infinity');
$$;

comment on function payments.till_cash(payments.tills) is 'Return the cash in a till now, in cents.';
