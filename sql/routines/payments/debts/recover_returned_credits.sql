-- payments.recover_returned_credits: pay debts with the credits that bookings returned to frozen lots.
--
-- The caller has locked the payments of the credits (payments.lock_credit_payments). Internal.

create or replace function payments.recover_returned_credits(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform payments.recover_debt(d.payment_id)
    from (
        select distinct coalesce(l.purchase_id, l.booking_id, r.booking_id, r.purchase_id) as payment_id
        from payments.credit_uses as u
        inner join payments.credit_lots as l on l.id = u.lot_id and l.frozen_at is not null
        left join payments.refunds as r on r.id = l.refund_id
        where u.booking_id = any (recover_returned_credits.booking_ids)
        order by payment_id
    ) as d;
end;
$$;

comment on function payments.recover_returned_credits(uuid[]) is
'Pay debts with the credits that bookings returned to frozen lots.';
