-- payments.apply_refund: update one refund to the state that Stripe has, and post it in the ledger.
--
-- The money leaves the clearing account when Stripe accepts the refund. It returns when the refund fails, which can be
-- after it succeeded; then a settled debt of an excess refund is reversed too. Sends no message about an excess refund,
-- because staff were notified when it was found. Repeating it changes nothing. Locks the refund. Internal.

create or replace function payments.apply_refund(
    refund_id uuid, stripe_id text, stripe_status text, failure_reason text
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
    the_status payments.refund_status := case
        when apply_refund.stripe_status = 'succeeded' then 'succeeded'
        when apply_refund.stripe_status in ('failed', 'canceled') then 'failed'
        else 'pending'
    end;
    the_posting_key text;
begin
    select r.* into the_refund
    from payments.refunds as r
    where r.id = apply_refund.refund_id
    for no key update;

    if
        not found
        or the_refund.status = the_status
        -- A refund that Stripe refused has no id there. It may still exist, from an attempt whose response was lost.
        or (the_refund.status = 'failed' and the_refund.stripe_refund_id is not null and the_status <> 'failed')
        or (the_refund.status = 'succeeded' and the_status = 'pending')
    then
        return;
    end if;

    the_posting_key := 'refund_sent:' || the_refund.id || ':' || the_refund.reopened;
    perform payments.post_between_owners(
        kind => 'refund_sent',
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', the_refund.amount_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -the_refund.amount_cents)
        ),
        idempotency_key => the_posting_key,
        reference_type => 'refund',
        reference_id => the_refund.id
    );

    if the_status = 'failed' then
        perform payments.reverse_transaction(
            transaction_id => t.id,
            idempotency_key => 'refund_failed:' || the_refund.id || ':' || the_refund.reopened,
            reason => coalesce(apply_refund.failure_reason, 'Stripe could not deliver it.')
        )
        from payments.transactions as t
        where t.idempotency_key = the_posting_key;
        perform payments.reverse_debt_settlement(the_refund);
    end if;

    update payments.refunds as r
    set
        status = the_status,
        stripe_refund_id = coalesce(apply_refund.stripe_id, r.stripe_refund_id),
        status_reason = case
            when r.beyond then r.status_reason
            when the_status = 'failed' then left(apply_refund.failure_reason, 500)
        end,
        last_error = null,
        settled_at = case when the_status in ('succeeded', 'failed') then statement_timestamp() end
    where r.id = the_refund.id
    returning r.* into the_refund;

    if the_status in ('succeeded', 'failed') and not the_refund.beyond then
        insert into public.outbox (topic, key, payload)
        values (
            case when the_status = 'succeeded' then 'refund.succeeded' else 'refund.failed' end,
            coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
            payments.refund_payload(the_refund)
        );
    end if;
end;
$$;

comment on function payments.apply_refund(uuid, text, text, text) is
'Update one refund to the state that Stripe has, and post it in the ledger.';
