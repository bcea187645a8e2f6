-- payments.lock_promo_codes: lock the promo codes of bookings, so that their uses can be released.
--
-- Also locks the codes that granted the frozen credits which the bookings used: when these return, they pay a debt
-- (payments.recover_debt). In id order, after the events' inventories and before the wallets. Internal.

create or replace function payments.lock_promo_codes(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from payments.promo_codes as c
    where c.id in (
        select u.promo_code_id
        from payments.promo_uses as u
        where u.booking_id = any (lock_promo_codes.booking_ids) and u.given_back_at is null
        union
        select u.promo_code_id
        from payments.credit_uses as c
        inner join payments.credit_lots as l on l.id = c.lot_id and l.frozen_at is not null
        inner join payments.promo_uses as u on u.booking_id = l.booking_id and u.given_back_at is null
        where c.booking_id = any (lock_promo_codes.booking_ids)
    )
    order by c.id
    for no key update;
end;
$$;

comment on function payments.lock_promo_codes(uuid[]) is
'Lock the promo codes of bookings, so that their uses can be released.';
