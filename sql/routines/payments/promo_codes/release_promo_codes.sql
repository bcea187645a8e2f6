-- payments.release_promo_codes: release the promo codes of bookings that end without benefit.
--
-- That is: not paid, cancelled in time or by the organizer, waived, or refunded in full. Each use is released once, so
-- that the code can be used again. A use whose credits were spent was a benefit, and stays. If the organizer cancelled
-- the event, it stays only while the customer owes the spent credits, or if that debt was written off. So the caller
-- has ended the credits before (payments.end_grants), and has locked the codes before the wallets
-- (payments.lock_promo_codes). Internal.

create or replace function payments.release_promo_codes(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform payments.lock_promo_codes(release_promo_codes.booking_ids);

    with back as (
        update payments.promo_uses as u
        set given_back_at = statement_timestamp()
        from events.bookings as b
        inner join events.inventory as i on i.event_id = b.event_id
        where
            u.booking_id = any (release_promo_codes.booking_ids)
            and u.given_back_at is null
            and b.id = u.booking_id
            and case
                when i.closed then payments.owed_cents(b.id)
                else payments.spent_grant_cents(b.id)
            end = 0
            and not exists (
                select
                from payments.refunds as r
                where r.booking_id = b.id and r.cause = 'promotion' and r.debt_outcome = 'forgiven'
            )
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
