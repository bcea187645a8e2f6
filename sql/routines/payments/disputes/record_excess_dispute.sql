-- payments.record_excess_dispute: record money that a lost dispute returned beyond the refundable amount.
--
-- The customer had received it before, by a refund or as spent credits, so they owe it. The debt is an excess refund
-- through the dispute. The organization, from which the dispute was taken, is owed the amount. Notifies staff. The
-- caller has locked the payment. Internal.

create or replace function payments.record_excess_dispute(intent payments.intents, amount_cents bigint)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
        status, status_reason, settled_at, sold, beyond
    )
    select
        i.booking_id, i.purchase_id, i.id, i.organization_id, i.customer_id, record_excess_dispute.amount_cents,
        i.currency, 'dispute',
        'dispute:beyond:' || (
            select count(*) from payments.refunds as r where r.intent_id = i.id and starts_with(r.cause, 'dispute:beyond:')
        ),
        'succeeded', 'The bank returned more than was due: the customer owes the excess.', statement_timestamp(), false,
        true
    from (select (record_excess_dispute.intent).*) as i
    returning * into the_refund;
    perform payments.post_refund_by_dispute(the_refund);
    insert into public.outbox (topic, key, payload)
    values (
        'refund.exceeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
end;
$$;

comment on function payments.record_excess_dispute(payments.intents, bigint) is
'Record money that a lost dispute returned beyond the refundable amount.';
