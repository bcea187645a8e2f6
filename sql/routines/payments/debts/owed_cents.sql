-- payments.owed_cents: return the open debts that excess refunds of a booking or purchase left, in cents.

create or replace function payments.owed_cents(payment_id uuid)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(sum(r.amount_cents - r.recovered_cents), 0)::bigint
    from payments.refunds as r
    where
        (r.booking_id = owed_cents.payment_id or r.purchase_id = owed_cents.payment_id)
        and r.beyond
        and r.status in ('pending', 'succeeded')
        and r.debt_outcome is null;
$$;

comment on function payments.owed_cents(uuid) is
'Return the open debts that excess refunds of a booking or purchase left, in cents.';
