-- payments.apply_lost_dispute: count refunds as paid when the customer's bank has paid them through a lost dispute.
--
-- Completes refunds of the payment that Stripe has not sent, failed ones first, up to the disputed amount. It splits a
-- refund that is larger than the remaining amount. The posting goes from the customer's cash to the organization's
-- receivable, from which the dispute was taken: so the organization pays once.
--
-- When a dispute is won after it was lost, these refunds fail again and wait for staff. Repeating it changes nothing.
-- Locks the refunds. Internal. Returns the number of refunds that it completed.

create or replace function payments.apply_lost_dispute(intent_id uuid)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_cover bigint := payments.dispute_cover(apply_lost_dispute.intent_id);
    the_refund payments.refunds;
    settled integer := 0;
begin
    while the_cover > 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where
            r.intent_id = apply_lost_dispute.intent_id
            and r.destination = 'original'
            and r.status in ('created', 'failed')
            and not r.beyond
        order by r.status desc, r.id
        limit 1
        for no key update;
        exit when not found;

        if the_refund.amount_cents > the_cover then
            the_refund := payments.split_refund(
                the_refund.id, the_cover, 'dispute:' || the_refund.id || ':' || the_refund.reopened
            );
        end if;
        perform payments.complete_refund_by_dispute(the_refund.id);
        the_cover := the_cover - the_refund.amount_cents;
        settled := settled + 1;
    end loop;

    while the_cover < 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where r.intent_id = apply_lost_dispute.intent_id and r.destination = 'dispute'
        order by r.id desc
        limit 1
        for no key update;
        exit when not found;

        perform payments.reverse_transaction(
            transaction_id => t.id,
            idempotency_key => 'refund_owed_again:' || the_refund.id || ':' || the_refund.reopened,
            reason => 'The dispute was won after all.'
        )
        from payments.transactions as t
        where t.idempotency_key = 'refund_by_dispute:' || the_refund.id || ':' || the_refund.reopened;

        update payments.refunds as r
        set status = 'failed', status_reason = 'The dispute was won after all.', destination = 'original'
        where r.id = the_refund.id;
        the_cover := the_cover + the_refund.amount_cents;
    end loop;
    return settled;
end;
$$;

comment on function payments.apply_lost_dispute(uuid) is
'Count refunds as paid when the customer''s bank has paid them through a lost dispute.';
