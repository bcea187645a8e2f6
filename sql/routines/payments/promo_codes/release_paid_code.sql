-- payments.release_paid_code: release the promo code of a booking whose debt of spent credits was paid.
--
-- Only if the organizer cancelled the event: then the customer has had no benefit without paying for it. Repeating it
-- changes nothing. The caller has locked the code before the wallets (payments.lock_promo_codes). Internal.

create or replace function payments.release_paid_code(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from events.bookings as b
        inner join events.inventory as i on i.event_id = b.event_id
        where b.id = release_paid_code.booking_id and b.status = 'cancelled' and b.late is not true and i.closed
    ) then
        perform payments.release_promo_codes(array[release_paid_code.booking_id]);
    end if;
end;
$$;

comment on function payments.release_paid_code(uuid) is
'Release the promo code of a booking whose debt of spent credits was paid.';
