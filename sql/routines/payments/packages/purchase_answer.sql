-- payments.purchase_answer: return a purchase with its payment, as its customer sees it.
--
-- The caller has checked the right to see it. Internal.

create or replace function payments.purchase_answer(purchase_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p.id,
        'package_id', p.package_id,
        'organization_id', p.organization_id,
        'customer_id', p.customer_id,
        'kind', p.kind,
        'credits', p.credits,
        'bonus', p.bonus,
        'categories', p.categories,
        'price_cents', p.amount_cents,
        'net_cents', p.net_cents,
        'tax_cents', p.tax_cents,
        'currency', p.currency,
        'status', p.status,
        'refunded_cents', p.refunded_cents,
        'created_at', p.created_at,
        'payment', payments.payment_answer(p.id)
    )
    from payments.purchases as p
    where p.id = purchase_answer.purchase_id;
$$;

comment on function payments.purchase_answer(uuid) is 'Return a purchase with its payment, as its customer sees it.';
