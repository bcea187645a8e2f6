-- payments.stop_payments: make the open payments of bookings due, so that the sweep cancels them at Stripe now.
--
-- A payment that succeeds anyway is refunded. Internal.

create or replace function payments.stop_payments(booking_ids uuid[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update payments.intents as i
    set available_at = statement_timestamp()
    where
        i.booking_id = any (stop_payments.booking_ids)
        and i.status in ('created', 'open', 'processing')
        and i.available_at > statement_timestamp();
$$;

comment on function payments.stop_payments(uuid[]) is
'Make the open payments of bookings due, so that the sweep cancels them at Stripe now.';
