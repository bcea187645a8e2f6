-- payments.lock_promo_codes: lock the promo codes of bookings, so that their uses can be released.
--
-- In id order, after the events' inventories and before the wallets. Internal.

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
    )
    order by c.id
    for no key update;
end;
$$;

comment on function payments.lock_promo_codes(uuid[]) is
'Lock the promo codes of bookings, so that their uses can be released.';
