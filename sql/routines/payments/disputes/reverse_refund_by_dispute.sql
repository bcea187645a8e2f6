-- payments.reverse_refund_by_dispute: reverse a refund or a debt through a dispute, because the bank's money is no
-- longer there.
--
-- A refund is owed to the customer again, fails, and staff are notified: the customer's bank may have paid them all the
-- same, which only the customer can say. The debt of an excess refund ends; its settlement is reversed. The caller has
-- locked the payment. Internal.

create or replace function payments.reverse_refund_by_dispute(refund payments.refunds, reason text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform payments.reverse_transaction(
        transaction_id => t.id,
        idempotency_key => 'refund_owed_again:' || (reverse_refund_by_dispute.refund).id || ':'
        || (reverse_refund_by_dispute.refund).reopened,
        reason => reverse_refund_by_dispute.reason
    )
    from payments.transactions as t
    where
        t.idempotency_key = 'refund_by_dispute:' || (reverse_refund_by_dispute.refund).id || ':'
        || (reverse_refund_by_dispute.refund).reopened;
    if (reverse_refund_by_dispute.refund).beyond then
        perform payments.reverse_debt_settlement(reverse_refund_by_dispute.refund);
    end if;
    update payments.refunds as r
    set status = 'failed', status_reason = reverse_refund_by_dispute.reason, destination = 'original'
    where r.id = (reverse_refund_by_dispute.refund).id;

    insert into public.outbox (topic, key, payload)
    select 'refund.failed', coalesce(r.booking_id, r.purchase_id)::text, payments.refund_payload(r)
    from payments.refunds as r
    where r.id = (reverse_refund_by_dispute.refund).id and not r.beyond;
end;
$$;

comment on function payments.reverse_refund_by_dispute(payments.refunds, text) is
'Reverse a refund or a debt through a dispute, because the bank''s money is no longer there.';
