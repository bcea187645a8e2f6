-- payments.apply_disputes: record the disputes of a payment as Stripe has them, and post them in the ledger.
--
-- The organization owes the amount that Stripe withdrew, in the dispute's currency, which can differ from the
-- payment's. When the dispute is won, the posting is reversed; when it is opened or lost again, the amount is withdrawn
-- again. So its last state decides. Inquiries withdraw nothing. A lost dispute counts as a refund to the customer
-- (payments.apply_lost_dispute).
--
-- Repeating it changes nothing. Internal. Returns dispute_ and the new status for each change, such as
-- dispute_won.

create or replace function payments.apply_disputes(intent payments.intents, disputes jsonb)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    dispute record;
    takes_money boolean;
    the_number integer;
    the_posting_key text;
    the_currency text;
    did text[] := '{}';
begin
    for dispute in
        select d.*
        from jsonb_to_recordset(apply_disputes.disputes) as d (
            stripe_id text, amount_cents bigint, currency text, status text, reason text
        )
        order by d.stripe_id
    loop
        the_number := payments.dispute_reversals(dispute.stripe_id);
        the_posting_key := payments.dispute_key('dispute', dispute.stripe_id, the_number);
        the_currency := coalesce(upper(dispute.currency), (apply_disputes.intent).currency);
        takes_money := dispute.status in ('needs_response', 'under_review', 'lost');

        if takes_money then
            perform payments.post_between_owners(
                kind => 'dispute',
                currency => the_currency,
                legs => jsonb_build_array(
                    jsonb_build_object(
                        'owner', 'organization', 'id', (apply_disputes.intent).organization_id, 'type', 'receivable',
                        'cents', dispute.amount_cents
                    ),
                    jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -dispute.amount_cents)
                ),
                idempotency_key => the_posting_key,
                reference_type => 'payment',
                reference_id => (apply_disputes.intent).id
            );
        else
            perform payments.reverse_transaction(
                transaction_id => t.id,
                idempotency_key => payments.dispute_key('dispute_won', dispute.stripe_id, the_number),
                reason => case dispute.status when 'won' then 'The dispute was won.' else 'The dispute ended.' end
            )
            from payments.transactions as t
            where t.idempotency_key = the_posting_key;
        end if;

        insert into payments.disputes as d (
            stripe_dispute_id, intent_id, organization_id, amount_cents, currency, reason, status, withdrawn
        )
        values (
            dispute.stripe_id, (apply_disputes.intent).id, (apply_disputes.intent).organization_id,
            dispute.amount_cents, the_currency, dispute.reason, dispute.status, takes_money
        )
        on conflict (stripe_dispute_id) do update
        set status = excluded.status, withdrawn = excluded.withdrawn, updated_at = statement_timestamp()
        where d.status <> excluded.status;

        if found then
            did := did || ('dispute_' || dispute.status);
            insert into public.outbox (topic, key, payload)
            select 'payment.disputed', d.intent_id::text, payments.dispute_payload(d, apply_disputes.intent)
            from payments.disputes as d
            where d.stripe_dispute_id = dispute.stripe_id;
        end if;
    end loop;
    perform payments.apply_lost_dispute((apply_disputes.intent).id);
    return did;
end;
$$;

comment on function payments.apply_disputes(payments.intents, jsonb) is
'Record the disputes of a payment as Stripe has them, and post them in the ledger.';
