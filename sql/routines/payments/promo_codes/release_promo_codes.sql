-- payments.release_promo_codes: release the promo codes of bookings that end without benefit.
--
-- That is: not paid, cancelled in time or by the organizer, waived, or refunded in full. Each use is released once, so
-- that the code can be used again. payments.reverse_sales ends credits that a code granted. Locks the codes in id
-- order, after the events' inventories. Internal.

create or replace function payments.release_promo_codes(booking_ids uuid[])
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
        where u.booking_id = any (release_promo_codes.booking_ids) and u.given_back_at is null
    )
    order by c.id
    for no key update;

    if not found then
        return;
    end if;

    with back as (
        update payments.promo_uses as u
        set given_back_at = statement_timestamp()
        where u.booking_id = any (release_promo_codes.booking_ids) and u.given_back_at is null
        returning u.promo_code_id
    )

    update payments.promo_codes as c
    set used = c.used - b.uses
    from (select b.promo_code_id, count(*) as uses from back as b group by b.promo_code_id) as b
    where c.id = b.promo_code_id;
end;
$$;

comment on function payments.release_promo_codes(uuid[]) is
'Release the promo codes of bookings that end without benefit.';
