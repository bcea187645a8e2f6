-- payments.lot_answer: return a lot of credits as the API shows it.
--
-- The caller has checked the right to see it. Internal.

create or replace function payments.lot_answer(lot_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', l.id,
        'kind', l.kind,
        'source', l.source,
        'organization_id', l.organization_id,
        'customer_id', l.customer_id,
        'currency', l.currency,
        'amount', l.amount,
        'remaining', l.remaining,
        'expires_at', nullif(l.expires_at, 'infinity'),
        'categories', l.categories,
        'created_at', l.created_at
    )
    from payments.credit_lots as l
    where l.id = lot_answer.lot_id;
$$;

comment on function payments.lot_answer(uuid) is 'Return a lot of credits as the API shows it.';
