-- payments.fulfil_payment: give a paid booking its seats or refund it, and give a paid package its credits.
--
-- Seats that are reserved for the payment become the booking's. An expired booking takes its seats again if they are
-- free and the waitlist has no claim to them; otherwise the payment is refunded. The caller holds the event's lock.
-- Internal. Returns {confirmed}, {returned} when the payment was refunded, or {granted} for a package.

create or replace function payments.fulfil_payment(intent payments.intents)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    if (fulfil_payment.intent).purchase_id is not null then
        return payments.fulfil_purchase((fulfil_payment.intent).purchase_id);
    end if;

    select b.* into the_booking from events.bookings as b where b.id = (fulfil_payment.intent).booking_id;

    if the_booking.status = 'expired' and events.can_reinstate_booking(the_booking)
        and payments.reuse_promo_code(the_booking.id) then
        null;
    elsif the_booking.status <> 'pending_payment' then
        perform payments.refund_late_payment(fulfil_payment.intent);
        return array['returned'];
    end if;

    perform events.confirm_paid_booking(the_booking.id);
    perform payments.record_sale(the_booking.id);
    return array['confirmed'];
end;
$$;

comment on function payments.fulfil_payment(payments.intents) is
'Give a paid booking its seats or refund it, and give a paid package its credits.';
