-- payments.start_payment: start the payment of a new booking, by its method and for the quoted price.
--
-- For Stripe it creates the payment that is requested later. A wallet, a pass or an invoice pays at once, in the
-- booking's own transaction, or refuses. A price that a promo code reduced to zero counts as paid. Locks, after the
-- event's inventory: the promo code, balances, lots, and last the invoice's number. Internal.
--
-- Refuses: 409 insufficient_credits, 409 insufficient_funds, 409 promo_code_used_up.

create or replace function payments.start_payment(booking_id uuid, quote payments.quotes)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    select b.* into the_booking from events.bookings as b where b.id = start_payment.booking_id;

    if the_booking.payment_method = 'pass' then
        perform payments.use_passes(the_booking);
        return;
    end if;

    if (start_payment.quote).promo_code_id is not null then
        perform payments.use_promo_code(
            (start_payment.quote).promo_code_id, the_booking.id, the_booking.customer_id,
            (start_payment.quote).discount_cents
        );
    end if;

    insert into payments.quotes (
        booking_id, organization_id, customer_id, list_cents, discount_cents, net_cents, tax_cents, total_cents,
        currency, tax_country, tax_category, tax_bps, tax_added, promo_code_id
    )
    select
        the_booking.id, the_booking.organization_id, the_booking.customer_id, q.list_cents, q.discount_cents,
        q.net_cents, q.tax_cents, q.total_cents, q.currency, q.tax_country, q.tax_category, q.tax_bps, q.tax_added,
        q.promo_code_id
    from (select (start_payment.quote).*) as q;

    if the_booking.payment_method in ('card', 'twint') then
        perform payments.request_payment(the_booking.id);
    elsif the_booking.price_cents > 0 then
        perform payments.record_sale(the_booking.id);
    else
        perform payments.grant_promo_credits(the_booking);
    end if;
end;
$$;

comment on function payments.start_payment(uuid, payments.quotes) is
'Start the payment of a new booking, by its method and for the quoted price.';
