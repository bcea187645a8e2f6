-- events.is_unpaid: return whether money is still to be received for a booking.
--
-- Its payment is pending, its invoice is open, or a fee is owed. Internal.

create or replace function events.is_unpaid(booking events.bookings)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        (is_unpaid.booking).status = 'pending_payment'
        or ((is_unpaid.booking).payment_method = 'invoice' and payments.invoice_is_open((is_unpaid.booking).id))
        or (
            (is_unpaid.booking).fee_cents > 0
            and exists (
                select
                from payments.fees as f
                where
                    f.booking_id = (is_unpaid.booking).id
                    and f.paid_from = 'owed'
                    and f.paid_at is null
                    and f.taken_back_at is null
            )
        );
$$;

comment on function events.is_unpaid(events.bookings) is
'Return whether money is still to be received for a booking.';
