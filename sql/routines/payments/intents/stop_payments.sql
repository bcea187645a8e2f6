-- payments.stop_payments: have the sweep cancel these bookings' payments at Stripe now.
--
-- Should one be paid all the same, it is given back. Internal.

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

comment on function payments.stop_payments(uuid[]) is 'Have the sweep cancel these bookings'' payments at Stripe now.';
