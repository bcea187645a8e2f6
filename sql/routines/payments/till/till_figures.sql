-- payments.till_figures: return the report of a till's open days up to a day, before they are closed.
--
-- It covers the days after the last closed day. Terminal money is never in the till: it only has takings and refunds.
-- Internal.

create or replace function payments.till_figures(till payments.tills, day date)
returns payments.till_closings
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        null::uuid,
        (till_figures.till).id,
        (till_figures.till).organization_id,
        least(coalesce(max(c.day) + 1, min(m.day), till_figures.day), till_figures.day),
        till_figures.day,
        coalesce(max(c.counted_cents - c.deposited_cents), 0)::bigint,
        coalesce(sum(m.amount_cents) filter (where m.is_taking and m.in_cash), 0)::bigint,
        coalesce(sum(m.amount_cents) filter (where m.is_taking and not m.in_cash), 0)::bigint,
        coalesce(-sum(m.amount_cents) filter (where m.kind = 'refund' and m.in_cash), 0)::bigint,
        coalesce(-sum(m.amount_cents) filter (where m.kind = 'refund' and not m.in_cash), 0)::bigint,
        coalesce(sum(m.amount_cents) filter (where m.kind = 'transfer'), 0)::bigint,
        (
            coalesce(max(c.counted_cents - c.deposited_cents), 0)
            + coalesce(sum(m.amount_cents) filter (where m.in_cash), 0)
        )::bigint,
        null::bigint,
        null::bigint,
        null::bigint,
        null::text,
        null::uuid,
        null::timestamptz
    from (select (till_figures.till).id as till_id) as t
    left join lateral (
        select c.day, c.counted_cents, c.deposited_cents
        from payments.till_closings as c
        where c.till_id = t.till_id
        order by c.day desc
        limit 1
    ) as c on true
    left join lateral (
        select
            m.day,
            m.kind,
            m.amount_cents,
            m.method = 'cash' as in_cash,
            m.kind in ('booking', 'package', 'fee', 'invoice') as is_taking
        from payments.till_movements as m
        where m.till_id = t.till_id and m.day > coalesce(c.day, '-infinity') and m.day <= till_figures.day
    ) as m on true;
$$;

comment on function payments.till_figures(payments.tills, date) is
'Return the report of a till''s open days up to a day, before they are closed.';
