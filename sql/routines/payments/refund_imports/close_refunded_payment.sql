-- payments.close_refunded_payment: close a booking whose whole payment was refunded, and return whether it was closed.
--
-- Excess refunds count too: a promotion may reduce the refundable amount. A booking that another method has paid stays.
-- Its seats are offered again, and its promo
-- code can be used again. The caller holds the event's lock. Internal.

create or replace function payments.close_refunded_payment(intent payments.intents)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select sum(r.amount_cents) >= (close_refunded_payment.intent).amount_cents
        from payments.refunds as r
        where
            r.booking_id = (close_refunded_payment.intent).booking_id
            and exists (
                select
                from payments.sales as s
                where s.booking_id = r.booking_id and s.method = (close_refunded_payment.intent).method
            )
            and not (r.beyond and (r.status = 'failed' or r.intent_id is null))
    ) is true
    and events.close_refunded_booking((close_refunded_payment.intent).booking_id);
end;
$$;

comment on function payments.close_refunded_payment(payments.intents) is
'Close a booking whose whole payment was refunded, and return whether it was closed.';
