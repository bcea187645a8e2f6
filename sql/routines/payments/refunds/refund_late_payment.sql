-- payments.refund_late_payment: refund a payment that arrived too late for its seats.
--
-- Works once per payment. Takes the money from the customer's cash account; there is no sale to reverse. Internal.

create or replace function payments.refund_late_payment(intent payments.intents)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (refund_late_payment.intent).booking_id, (refund_late_payment.intent).id,
        (refund_late_payment.intent).organization_id,
        (refund_late_payment.intent).customer_id, (refund_late_payment.intent).amount_cents,
        (refund_late_payment.intent).currency,
        'original', 'too_late', false
    )
    on conflict on constraint one_refund_per_cause do nothing
    returning * into the_refund;

    if found then
        insert into public.outbox (topic, key, payload)
        values ('payment.returned', the_refund.booking_id::text, payments.refund_payload(the_refund));
    end if;
end;
$$;

comment on function payments.refund_late_payment(payments.intents) is
'Refund a payment that arrived too late for its seats.';
