-- payments.close_refunded_payment: close a booking whose whole payment was refunded, and return whether it was closed.
--
-- Only for the payment that paid for the booking (payments.has_paid_sale), and only its refunds count. Excess refunds
-- count too: a promotion may reduce the refundable amount. Its seats are offered again, and its promo
-- code can be used again. The caller holds the event's lock. Internal.

create or replace function payments.close_refunded_payment(intent payments.intents)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return payments.has_paid_sale((close_refunded_payment.intent).id) and (
        select sum(r.amount_cents) >= (close_refunded_payment.intent).amount_cents
        from payments.refunds as r
        where
            r.intent_id = (close_refunded_payment.intent).id
            and not (r.beyond and r.status = 'failed')
    ) is true
    and events.close_refunded_booking((close_refunded_payment.intent).booking_id);
end;
$$;

comment on function payments.close_refunded_payment(payments.intents) is
'Close a booking whose whole payment was refunded, and return whether it was closed.';
