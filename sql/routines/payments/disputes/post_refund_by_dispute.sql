-- payments.post_refund_by_dispute: post a refund that the customer received from their bank.
--
-- From the customer's cash to the organization's receivable, from which the dispute was taken. Posts once per refund
-- and reopening. Internal.

create or replace function payments.post_refund_by_dispute(refund payments.refunds)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.post_between_owners(
        kind => 'refund_by_dispute',
        currency => (post_refund_by_dispute.refund).currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', (post_refund_by_dispute.refund).customer_id, 'type', 'cash',
                'cents', (post_refund_by_dispute.refund).amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', (post_refund_by_dispute.refund).organization_id, 'type', 'receivable',
                'cents', -(post_refund_by_dispute.refund).amount_cents
            )
        ),
        idempotency_key => 'refund_by_dispute:' || (post_refund_by_dispute.refund).id || ':'
        || (post_refund_by_dispute.refund).reopened,
        reference_type => 'refund',
        reference_id => (post_refund_by_dispute.refund).id
    );
$$;

comment on function payments.post_refund_by_dispute(payments.refunds) is
'Post a refund that the customer received from their bank.';
