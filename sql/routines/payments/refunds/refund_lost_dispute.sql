-- payments.refund_lost_dispute: count the money of a booking's lost disputes as a refund of its sale.
--
-- So staff can refund the rest of the payment, and the customer never receives more than they paid. Repeating it
-- changes nothing. The caller holds the event's lock. Internal.
--
-- Refuses: 409 refund_exceeds_payment.

create or replace function payments.refund_lost_dispute(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_cents bigint := (
        select least(payments.dispute_cover(s.booking_id), payments.refundable_sale_cents(s))
        from payments.sales as s
        where s.booking_id = refund_lost_dispute.booking_id and payments.has_paid_sale(s.booking_id)
    );
begin
    if the_cents > 0 then
        perform payments.refund_bookings(
            array[refund_lost_dispute.booking_id],
            'dispute:lost:' || (
                select count(*)
                from payments.refunds as r
                where r.booking_id = refund_lost_dispute.booking_id and starts_with(r.cause, 'dispute:lost:')
            ),
            'original',
            array[the_cents]
        );
    end if;
end;
$$;

comment on function payments.refund_lost_dispute(uuid) is
'Count the money of a booking''s lost disputes as a refund of its sale.';
