-- payments.complete_refund_by_dispute: complete a refund whose money the customer received from their bank.
--
-- The refund's earlier id at Stripe becomes a former id, so that a late report from Stripe about it changes nothing.
-- Notifies the customer. The caller has locked the refund. Internal.

create or replace function payments.complete_refund_by_dispute(refund_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
begin
    update payments.refunds as r
    set
        status = 'succeeded', status_reason = null, destination = 'dispute', last_error = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + 1, settled_at = statement_timestamp()
    where r.id = complete_refund_by_dispute.refund_id
    returning r.* into the_refund;

    perform payments.post_refund_by_dispute(the_refund);
    insert into public.outbox (topic, key, payload)
    values (
        'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
end;
$$;

comment on function payments.complete_refund_by_dispute(uuid) is
'Complete a refund whose money the customer received from their bank.';
