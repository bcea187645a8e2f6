-- events.payment_method_answer: return a booking with its payment at Stripe, as the API shows it.
--
-- A booking that is paid by another method has no payment at Stripe that the client needs. Internal.

create or replace function events.payment_method_answer(booking events.bookings)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select events.booking_payload(payment_method_answer.booking)
        - array['organization_id', 'cancelled_at', 'late', 'fee_cents']
        || jsonb_build_object(
            'payment', case
                when (payment_method_answer.booking).payment_method in ('card', 'twint')
                then payments.payment_answer((payment_method_answer.booking).id)
            end
        );
$$;

comment on function events.payment_method_answer(events.bookings) is
'Return a booking with its payment at Stripe, as the API shows it.';
