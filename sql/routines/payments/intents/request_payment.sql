-- payments.request_payment: create the payment that is requested from Stripe for a booking's price.
--
-- The request to Stripe follows outside any transaction; the sweep sends it if that did not happen. Internal.

create or replace function payments.request_payment(booking_id uuid)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into payments.intents (
        id, booking_id, organization_id, customer_id, method, amount_cents, currency
    )
    select b.id, b.id, b.organization_id, b.customer_id, b.payment_method, b.price_cents, b.currency
    from events.bookings as b
    where b.id = request_payment.booking_id;
$$;

comment on function payments.request_payment(uuid) is
'Create the payment that is requested from Stripe for a booking''s price.';
