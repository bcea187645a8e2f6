-- payments.record_excess_refund: record money that was refunded at Stripe beyond the refundable amount.
--
-- The customer has been paid twice and owes the excess: it stays on their cash account until the debt is settled.
-- Notifies staff. A refund at Stripe has at most one excess. Internal. Returns {beyond}.

create or replace function payments.record_excess_refund(intent payments.intents, stripe_id text, amount_cents bigint)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
        status_reason, sold, beyond
    )
    values (
        (record_excess_refund.intent).booking_id, (record_excess_refund.intent).purchase_id,
        (record_excess_refund.intent).id,
        (record_excess_refund.intent).organization_id, (record_excess_refund.intent).customer_id,
        record_excess_refund.amount_cents, (record_excess_refund.intent).currency, 'original',
        'stripe:' || record_excess_refund.stripe_id || ':beyond',
        'More was refunded at Stripe than was due: the customer owes the excess.', false, true
    )
    returning * into the_refund;

    insert into public.outbox (topic, key, payload)
    values (
        'refund.exceeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
    return array['beyond'];
end;
$$;

comment on function payments.record_excess_refund(payments.intents, text, bigint) is
'Record money that was refunded at Stripe beyond the refundable amount.';
