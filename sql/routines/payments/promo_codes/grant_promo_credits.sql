-- payments.grant_promo_credits: add the credits of a booking's promo code to the customer's wallet after payment.
--
-- The organization pays for them. The key of the transaction makes sure that it happens once per booking. Notifies the
-- customer. Internal.

create or replace function payments.grant_promo_credits(booking events.bookings)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_code payments.promo_codes;
begin
    select c.* into the_code
    from payments.promo_uses as u
    inner join payments.promo_codes as c on c.id = u.promo_code_id
    where u.booking_id = (grant_promo_credits.booking).id and u.given_back_at is null and c.kind = 'credits';

    if found then
        perform payments.notify_credits(payments.grant_money(
            organization_id => the_code.organization_id, customer_id => (grant_promo_credits.booking).customer_id,
            amount_cents => the_code.amount_cents, currency => the_code.currency, source => 'promotion',
            idempotency_key => 'promotion:' || (grant_promo_credits.booking).id,
            booking_id => (grant_promo_credits.booking).id
        ));
    end if;
end;
$$;

comment on function payments.grant_promo_credits(events.bookings) is
'Add the credits of a booking''s promo code to the customer''s wallet after payment.';
