-- payments.reuse_promo_code: use the released promo code of a booking again, and return whether that was possible.
--
-- For payments that arrive after their seats were released. True for a booking without a code. Internal.

create or replace function payments.reuse_promo_code(booking_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_use payments.promo_uses;
begin
    select u.* into the_use
    from payments.promo_uses as u
    where u.booking_id = reuse_promo_code.booking_id and u.given_back_at is not null;

    if found then
        perform payments.use_promo_code(
            the_use.promo_code_id, the_use.booking_id, the_use.customer_id, the_use.discount_cents
        );
    end if;
    return true;
exception
    when sqlstate 'PT409' then
        return false;
end;
$$;

comment on function payments.reuse_promo_code(uuid) is
'Use the released promo code of a booking again, and return whether that was possible.';
