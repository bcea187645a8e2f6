-- payments.ledger_figures: return the figures of the ledger for the health checks.
--
-- ledger_findings is the result of the last nightly verification. The others are computed now, from sealed balances and
-- unsealed entries. Internal.

create or replace function payments.ledger_figures(at timestamptz default statement_timestamp())
returns table (name text, value double precision, unit text, status text, details jsonb)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        'ledger_unbalanced_currencies', count(*)::double precision, 'currencies', ops.health_status(count(*), 1, 1),
        coalesce(jsonb_object_agg(t.currency, t.amount_cents), '{}')
    from payments.trial_balance() as t
    where t.type is null and t.amount_cents <> 0
    union all
    select
        'ledger_findings', coalesce(r.findings, 0), 'findings',
        ops.health_status(coalesce(r.findings, 0)::bigint, 1, 1), '{}'
    from (
        select (
            select (j.result -> 'details' ->> 'findings')::double precision
            from ops.job_runs as j
            where j.job = 'verify_ledger' and j.succeeded
            order by j.id desc
            limit 1
        ) as findings
    ) as r
    union all
    select
        'reconciliation_differences', count(*)::double precision, 'differences', ops.health_status(count(*), 1, 100),
        coalesce(jsonb_object_agg(d.source_id, d.reason) filter (where d.place <= 100), '{}')
    from (
        select d.source_id, d.reason, row_number() over (order by d.id) as place
        from payments.differences as d
        where d.resolved_at is null
    ) as d
    union all
    select 'refunds_failed', count(*)::double precision, 'refunds', ops.health_status(count(*), 1, 100), '{}'
    from payments.refunds as r
    where r.status = 'failed' and not r.beyond
    union all
    select f.*
    from (select min(u.recorded_at) as oldest from payments.unsealed_entries as u) as u
    cross join lateral ops.age_figure('unsealed_entry_age_seconds', u.oldest, 300, 900, ledger_figures.at) as f;
$$;

comment on function payments.ledger_figures(timestamptz) is 'Return the figures of the ledger for the health checks.';
