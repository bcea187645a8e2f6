-- payments.refund_seats: refund a part of a booking's price, and return units of its passes, for seats given back.
--
-- Refunds at most the refundable part of the sale, once per booking and cause (payments.refund_bookings). The caller
-- holds the event's lock. Locks the promo code, the sale, the payments, then the wallets. Internal.

create or replace function payments.refund_seats(
    booking_id uuid, cause text, destination text, amount_cents bigint, units integer
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_sale payments.sales;
    the_cents bigint;
begin
    perform payments.lock_promo_codes(array[refund_seats.booking_id]);
    select s.* into the_sale
    from payments.sales as s
    where s.booking_id = refund_seats.booking_id
    for no key update;

    the_cents := least(refund_seats.amount_cents, payments.refundable_sale_cents(the_sale));
    if the_cents > 0 then
        perform payments.refund_bookings(
            array[refund_seats.booking_id], refund_seats.cause, refund_seats.destination, array[the_cents]
        );
    end if;
    if refund_seats.units > 0 then
        perform payments.lock_credit_payments(array[refund_seats.booking_id]);
        perform payments.return_passes(
            array[refund_seats.booking_id], array[refund_seats.units]::bigint[], by_organizer => false
        );
        perform payments.recover_returned_credits(array[refund_seats.booking_id]);
    end if;
end;
$$;

comment on function payments.refund_seats(uuid, text, text, bigint, integer) is
'Refund a part of a booking''s price, and return units of its passes, for seats given back.';
