-- payments.apply_payment: update a payment, its booking or purchase, its refunds and disputes to Stripe's state.
--
-- `facts` is the payment as Stripe has it now: {"stripe_id", "intent_id", "status", "amount_cents", "currency",
-- "received_cents", "charge_id", "fee_cents", "balance_transaction_id", "error", "refunds", "disputes", "observed_at"}.
-- Webhooks may come twice, late and in any order: the same facts change nothing, and facts that were observed before
-- the recorded ones are ignored.
--
-- A payment that succeeds after its seats were released takes free seats again; without free seats it is refunded.
-- Locks the person, then the event's inventory, then the payment. For the service. Returns the payment's status
-- and the changes: confirmed, granted, returned, abandoned, refunded, beyond, or dispute_ with the dispute's status.
--
-- Refuses: 404 payment_not_found, 409 payment_mismatch, when the amount, currency or amount received is missing or
-- differs from the request.

create or replace function payments.apply_payment(facts jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_intent payments.intents;
    the_observed_at timestamptz := (apply_payment.facts ->> 'observed_at')::timestamptz;
    the_status payments.intent_status := case apply_payment.facts ->> 'status'
        when 'succeeded' then 'succeeded'
        when 'canceled' then 'cancelled'
        when 'processing' then 'processing'
        else 'open'
    end;
    is_first_success boolean;
    did text[] := '{}';
begin
    select i.* into the_intent
    from payments.intents as i
    where
        i.stripe_payment_intent_id = apply_payment.facts ->> 'stripe_id'
        or (i.id = (apply_payment.facts ->> 'intent_id')::uuid and i.stripe_payment_intent_id is null)
    order by i.stripe_payment_intent_id is null
    limit 1;

    if not found then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;

    perform events.lock_person(the_intent.customer_id);
    perform events.lock_inventory(b.event_id)
    from events.bookings as b
    where b.id = the_intent.booking_id;

    select i.* into the_intent
    from payments.intents as i
    where i.id = the_intent.id
    for no key update;

    if the_observed_at < the_intent.observed_at then
        return jsonb_build_object('intent_id', the_intent.id, 'status', the_intent.status, 'did', did, 'stale', true);
    end if;

    if
        the_intent.amount_cents is distinct from (apply_payment.facts ->> 'amount_cents')::bigint
        or the_intent.currency is distinct from upper(apply_payment.facts ->> 'currency')
        or (
            the_status = 'succeeded'
            and the_intent.amount_cents is distinct from (apply_payment.facts ->> 'received_cents')::bigint
        )
    then
        raise exception using errcode = 'PT409', message = 'payment_mismatch',
            detail = jsonb_build_object(
                'amount_cents', the_intent.amount_cents, 'currency', the_intent.currency
            )::text;
    end if;

    is_first_success := the_status = 'succeeded' and the_intent.status <> 'succeeded';

    update payments.intents as i
    set
        -- A payment that was cancelled here may have been paid at Stripe. Then it succeeded, and stays so.
        status = case
            when i.status = 'succeeded' or (i.status = 'cancelled' and the_status <> 'succeeded') then i.status
            else the_status
        end,
        stripe_payment_intent_id = apply_payment.facts ->> 'stripe_id',
        stripe_charge_id = coalesce(apply_payment.facts ->> 'charge_id', i.stripe_charge_id),
        stripe_fee_cents = coalesce((apply_payment.facts ->> 'fee_cents')::bigint, i.stripe_fee_cents),
        last_error = case
            when the_status = 'open' then coalesce(nullif(apply_payment.facts -> 'error', 'null'), i.last_error)
        end,
        observed_at = the_observed_at,
        succeeded_at = case when is_first_success then statement_timestamp() else i.succeeded_at end,
        available_at = statement_timestamp() + interval '20 minutes'
    where i.id = the_intent.id
    returning i.* into the_intent;

    if is_first_success then
        perform payments.receive_payment(the_intent);
        did := did || payments.fulfil_payment(the_intent);
    elsif the_intent.status = 'cancelled' then
        did := did || payments.expire_cancelled_payment(the_intent);
    end if;

    perform payments.post_stripe_fee(
        the_intent, apply_payment.facts ->> 'balance_transaction_id', apply_payment.facts ->> 'fee_currency'
    );
    did := did || payments.apply_refunds(the_intent, coalesce(apply_payment.facts -> 'refunds', '[]'));
    did := did || payments.apply_disputes(the_intent, coalesce(apply_payment.facts -> 'disputes', '[]'));
    perform payments.recover_debt(the_intent.id);

    return jsonb_build_object('intent_id', the_intent.id, 'status', the_intent.status, 'did', did, 'stale', false);
end;
$$;

comment on function payments.apply_payment(jsonb) is
'Update a payment, its booking or purchase, its refunds and disputes to Stripe''s state.';

grant execute on function payments.apply_payment(jsonb) to service_role;
