-- payments.reconcile: compare Stripe's balance with the clearing account by source, and record differences.
--
-- Compares every source that moved on either side since `since`, except in the last hours (`settled_after`), when it
-- may be on its way. Checks earlier differences again, and resolves those that have disappeared. A difference has one
-- open row; a new one is reported. An advisory lock lets one run at a time. One statement. For the service. Returns the
-- numbers of opened, resolved and open differences.

create or replace function payments.reconcile(
    since timestamptz default null,
    at timestamptz default statement_timestamp(),
    settled_after interval default '3 hours'
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_since timestamptz := coalesce(reconcile.since, reconcile.at - interval '840 hours');
    opened integer;
    resolved integer;
begin
    perform pg_advisory_xact_lock(hashtextextended('payments.reconcile', 0));

    with moved as (
        select
            coalesce(b.source_id, b.id) as source_id, b.currency, b.net_cents as stripe_cents,
            null::bigint as ledger_cents, b.created_at as moved_at
        from payments.balance_transactions as b
        union all
        select m.source_id, m.currency, null, m.amount_cents, m.recorded_at
        from payments.clearing_movements as m
        where m.source_id is not null
    ),
    compared as (
        select
            m.source_id, m.currency,
            coalesce(sum(m.stripe_cents), 0)::bigint as stripe_cents,
            coalesce(sum(m.ledger_cents), 0)::bigint as ledger_cents,
            case
                when count(m.ledger_cents) = 0 then 'not_in_ledger'
                when count(m.stripe_cents) = 0 then 'not_at_stripe'
                else 'amount_differs'
            end as reason,
            max(m.moved_at) as moved_at
        from moved as m
        group by m.source_id, m.currency
    ),
    differing as materialized (
        select c.*
        from compared as c
        where c.stripe_cents <> c.ledger_cents
    ),
    looked_at as (
        update payments.differences as d
        set
            resolved_at = case when c.source_id is null then reconcile.at end,
            seen_at = reconcile.at,
            reason = coalesce(c.reason, d.reason),
            stripe_cents = coalesce(c.stripe_cents, d.stripe_cents),
            ledger_cents = coalesce(c.ledger_cents, d.ledger_cents)
        from payments.differences as o
        left join differing as c on c.source_id = o.source_id and c.currency = o.currency
        where d.id = o.id and d.resolved_at is null
        returning d.resolved_at
    ),
    added as (
        insert into payments.differences as d (
            source_id, currency, reason, stripe_cents, ledger_cents, opened_at, seen_at
        )
        select c.source_id, c.currency, c.reason, c.stripe_cents, c.ledger_cents, reconcile.at, reconcile.at
        from differing as c
        where
            c.moved_at >= the_since
            and c.moved_at < reconcile.at - reconcile.settled_after
        on conflict (source_id, currency) where resolved_at is null do nothing
        returning d.*
    ),
    told as (
        insert into public.outbox (topic, key, payload)
        select 'reconciliation.differs', a.source_id, payments.difference_payload(a::payments.differences)
        from added as a
        order by a.id
    )

    select (select count(*) from added), (select count(l.resolved_at) from looked_at as l)
    into opened, resolved;

    return jsonb_build_object(
        'opened', opened,
        'resolved', resolved,
        'open', (select count(*) from payments.differences as d where d.resolved_at is null)
    );
end;
$$;

comment on function payments.reconcile(timestamptz, timestamptz, interval) is
'Compare Stripe''s balance with the clearing account by source, and record differences.';

grant execute on function payments.reconcile(timestamptz, timestamptz, interval) to service_role;
