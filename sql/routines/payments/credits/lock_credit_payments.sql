-- payments.lock_credit_payments: lock the payments of bookings, and the payments of the credits that they used.
--
-- Credits that return to the lots of a withdrawn payment pay its debt (payments.recover_debt). So a routine that
-- returns credits locks the payments before the wallets, as payments.apply_payment does. In id order. Internal.

create or replace function payments.lock_credit_payments(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from payments.intents as i
    where i.id in (
        select b.id
        from unnest(lock_credit_payments.booking_ids) as b (id)
        union
        select coalesce(l.purchase_id, l.booking_id, r.booking_id, r.purchase_id)
        from payments.credit_uses as u
        inner join payments.credit_lots as l on l.id = u.lot_id
        left join payments.refunds as r on r.id = l.refund_id
        where u.booking_id = any (lock_credit_payments.booking_ids)
    )
    order by i.id
    for no key update;
end;
$$;

comment on function payments.lock_credit_payments(uuid[]) is
'Lock the payments of bookings, and the payments of the credits that they used.';
