-- payments.pay_at_once: pay a booking that waited for Stripe by its new method: a wallet, a pass, an invoice,
-- or money at the desk.
--
-- A pass costs nothing, so the quote of the price ends. Locks balances, lots, and last the invoice's number, after the
-- event's inventory. Internal.
--
-- Refuses: 409 insufficient_credits, 409 insufficient_funds.

create or replace function payments.pay_at_once(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    select b.* into the_booking from events.bookings as b where b.id = pay_at_once.booking_id;

    if the_booking.payment_method = 'pass' then
        delete from payments.quotes as q
        where q.booking_id = the_booking.id;
        perform payments.use_passes(the_booking);
    else
        perform payments.record_sale(the_booking.id);
    end if;
end;
$$;

comment on function payments.pay_at_once(uuid) is
'Pay a booking that waited for Stripe by its new method: a wallet, a pass, an invoice or money at the desk.';
