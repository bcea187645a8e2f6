-- payments.spending: return the money that a customer spent, by organization and currency.
--
-- The price of the customer's bookings, passes and fees, by any method, less what was returned. It is the counterpart
-- of the income that these transactions post: the organization's receivable and the platform's revenue. A dispute
-- returns money without a posting to the customer's accounts, so it is found by its payment.
--
-- Wallet money is spent when it is used. Buying it, and the refund of its package, used or expired, changes nothing
-- here, and neither do grants, expiry and settlements (payments.movement_group). An open dispute counts as if it were
-- lost (payments.unspent_dispute_cents). `amount_cents` is never zero. It is negative after a debt was written off that
-- bought nothing. It is also negative in the currency of a dispute that differs from its payment's. The organization
-- is null where its share is zero. The cost depends on the customer's own entries. Internal.

create or replace function payments.spending(customer_id uuid)
returns table (organization_id uuid, currency text, amount_cents bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with own as (
        select a.id, a.type
        from payments.accounts as a
        where a.owner_kind = 'user' and a.owner_id = spending.customer_id
    ),

    moved as (
        select l.transaction_id
        from own as a
        cross join lateral (
            select s.transaction_id from payments.seals as s where s.account_id = a.id
            union all
            select u.transaction_id from payments.unsealed_entries as u where u.account_id = a.id
        ) as l
        union
        select d.id
        from payments.intents as i
        inner join payments.disputes as p on p.intent_id = i.id
        cross join
            lateral generate_series(0, payments.dispute_reversals(p.stripe_dispute_id::text)) as n (number)
        cross join lateral (
            select t.id
            from payments.transactions as t
            where t.idempotency_key = payments.dispute_key('dispute', p.stripe_dispute_id::text, n.number)
            limit 1
        ) as k
        cross join lateral (
            select k.id
            union all
            select t.id from payments.transactions as t where t.reverses_id = k.id
        ) as d
        where i.customer_id = spending.customer_id
    ),

    sales as (
        select
            (array_agg(a.owner_id) filter (where a.type = 'receivable' and a.owner_kind = 'organization'))[1]
                as organization_id,
            a.currency,
            -sum(e.amount_cents) filter (
                where
                    (a.owner_kind = 'organization' and a.type = 'receivable')
                    or (a.owner_kind = 'platform' and a.type = 'revenue')
            ) as amount_cents
        from moved as m
        -- Each lookup has a limit of its own, so it stays a nested loop over an index. The planner expects 1000 rows of
        -- generate_series, and would join all transactions instead.
        cross join lateral (
            select t.kind, t.reverses_id, t.reference_type, t.reference_id
            from payments.transactions as t
            where t.id = m.transaction_id
            limit 1
        ) as t
        left join lateral (
            select r.kind from payments.transactions as r where r.id = t.reverses_id limit 1
        ) as o on true
        left join lateral (
            select p.kind
            from payments.purchases as p
            where p.id = t.reference_id and t.reference_type = 'purchase'
            limit 1
        ) as p on true
        cross join lateral (
            select e.account_id, e.amount_cents
            from payments.entries as e
            where e.transaction_id = m.transaction_id
            offset 0
        ) as e
        cross join lateral (
            select a.owner_id, a.owner_kind, a.type, a.currency
            from payments.accounts as a
            where a.id = e.account_id
            limit 1
        ) as a
        where payments.movement_group(coalesce(o.kind, t.kind)) = 'sale' and p.kind is distinct from 'wallet'
        group by m.transaction_id, a.currency
        union all
        select i.organization_id, i.currency, payments.unspent_dispute_cents(i) as amount_cents
        from payments.intents as i
        where
            i.customer_id = spending.customer_id
            and exists (select from payments.disputes as d where d.intent_id = i.id and d.withdrawn)
    )

    select s.organization_id, s.currency::text, sum(s.amount_cents)::bigint
    from sales as s
    where s.amount_cents is not null
    group by s.organization_id, s.currency
    having sum(s.amount_cents) <> 0;
$$;

comment on function payments.spending(uuid) is
'Return the money that a customer spent, by organization and currency.';
