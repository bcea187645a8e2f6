-- payments.use_promo_code: count one more use of a promo code, for a booking.
--
-- Locks the code's row until the transaction ends, after the event's inventory and before the ledger's balances. So two
-- bookings never both take the last use, overall or per customer. The constraint promo_code_never_overused is the
-- second defence. Internal.
--
-- Refuses: 409 promo_code_used_up, with the limit that was reached: everybody, customer.

create or replace function payments.use_promo_code(
    promo_code_id uuid, booking_id uuid, customer_id uuid, discount_cents bigint
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_code payments.promo_codes;
begin
    update payments.promo_codes as c
    set used = c.used + 1
    where c.id = use_promo_code.promo_code_id and (c.uses_most is null or c.used < c.uses_most)
    returning c.* into the_code;

    if not found then
        raise exception using errcode = 'PT409', message = 'promo_code_used_up',
            detail = jsonb_build_object('limit', 'everybody')::text;
    end if;

    if
        the_code.uses_most_per_customer <= (
            select count(*)
            from payments.promo_uses as u
            where
                u.promo_code_id = use_promo_code.promo_code_id
                and u.customer_id = use_promo_code.customer_id
                and u.given_back_at is null
        )
    then
        raise exception using errcode = 'PT409', message = 'promo_code_used_up',
            detail = jsonb_build_object('limit', 'customer')::text;
    end if;

    insert into payments.promo_uses as u (booking_id, promo_code_id, customer_id, discount_cents)
    values (
        use_promo_code.booking_id, use_promo_code.promo_code_id, use_promo_code.customer_id,
        use_promo_code.discount_cents
    )
    on conflict on constraint promo_uses_pkey do update
    set used_at = statement_timestamp(), given_back_at = null;
end;
$$;

comment on function payments.use_promo_code(uuid, uuid, uuid, bigint) is
'Count one more use of a promo code, for a booking.';
