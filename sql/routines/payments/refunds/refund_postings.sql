-- payments.refund_postings: return the ledger transactions of new refunds of sales, for payments.post_transactions.
--
-- The organization and the platform return their shares. The customer receives the money in their cash account, from
-- which Stripe or the desk refunds it, in their wallet, or as a lower debt. The sales are updated after this.

create or replace function payments.refund_postings(refund_ids uuid[])
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_agg(
        jsonb_build_object(
            'kind', 'refund',
            'idempotency_key', 'refund:' || p.id,
            'reference_type', 'refund',
            'reference_id', p.id,
            'account_ids', p.account_ids,
            'amounts_cents', p.amounts_cents
        )
        order by p.id
    )
    from (
        select
            r.id,
            jsonb_agg(l.account_id order by l.cents) as account_ids,
            jsonb_agg(l.cents order by l.cents) as amounts_cents
        from payments.refunds as r
        inner join payments.sales as s on s.booking_id = r.booking_id
        cross join lateral (select payments.fee_returned(s, r.amount_cents) as cents) as f
        cross join lateral (
            select
                payments.account('organization', r.organization_id, 'receivable', r.currency) as account_id,
                r.amount_cents - f.cents as cents
            union all
            select payments.account('platform', null, 'revenue', r.currency), f.cents
            union all
            select
                case r.destination
                    when 'original' then payments.account('user', r.customer_id, 'cash', r.currency)
                    when 'till' then payments.account('user', r.customer_id, 'cash', r.currency)
                    when 'wallet'
                    then payments.account('user', r.customer_id, 'credits', r.currency, r.organization_id)
                    else payments.account('user', r.customer_id, 'payable', r.currency, r.organization_id)
                end,
                -r.amount_cents
        ) as l
        where r.id = any (refund_postings.refund_ids) and l.cents <> 0
        group by r.id
    ) as p;
$$;

comment on function payments.refund_postings(uuid[]) is
'Return the ledger transactions of new refunds of sales, for payments.post_transactions.';
