-- payments.return_to_lots: return amounts to the lots that they came from: money of wallets, or units of passes.
--
-- The amounts expire with their lot. With `prolonged` they stay usable for at least 30 days. The rest of the lot is not
-- prolonged: if there is one that expires sooner, the amounts become a lot of their own. The caller has locked the
-- wallets or passes, and posts the same money. One statement for all lots. Internal.

create or replace function payments.return_to_lots(lot_ids uuid[], amounts bigint[], prolonged boolean)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    with due as (
        select d.lot_id, sum(d.amount)::bigint as amount
        from unnest(return_to_lots.lot_ids, return_to_lots.amounts) as d (lot_id, amount)
        where d.amount > 0
        group by d.lot_id
    ),

    back as (
        select d.lot_id, d.amount, e.expires_at, e.expires_at > l.expires_at and l.remaining > 0 as is_apart
        from due as d
        inner join payments.credit_lots as l on l.id = d.lot_id
        cross join lateral (
            select case
                when return_to_lots.prolonged
                then greatest(l.expires_at, payments.expiry(l.organization_id, 30))
                else l.expires_at
            end as expires_at
        ) as e
    ),

    filled as (
        update payments.credit_lots as l
        set
            remaining = l.remaining + case when b.is_apart then 0 else b.amount end,
            lapsed = l.lapsed + case when b.is_apart then b.amount else 0 end,
            expires_at = case when b.is_apart then l.expires_at else b.expires_at end
        from back as b
        where l.id = b.lot_id
    )

    insert into payments.credit_lots (
        kind, source, organization_id, customer_id, account_id, currency, amount, remaining, expires_at, categories,
        booking_id, purchase_id, granted_by, frozen_at, spent_cents
    )
    select
        l.kind, l.source, l.organization_id, l.customer_id, l.account_id, l.currency, b.amount, b.amount, b.expires_at,
        l.categories, l.booking_id, l.purchase_id, l.granted_by,
        case when l.frozen_at is not null then statement_timestamp() end,
        case when l.spent_cents is not null then 0 end
    from back as b
    inner join payments.credit_lots as l on l.id = b.lot_id
    where b.is_apart;
end;
$$;

comment on function payments.return_to_lots(uuid[], bigint[], boolean) is
'Return amounts to the lots that they came from: money of wallets, or units of passes.';
