-- payments.apply_refunds: update a payment's refunds to Stripe's state, and import those made directly at Stripe.
--
-- A refund at Stripe may name a refund here in its metadata. If that one does not wait for it, the refund is imported
-- too (payments.import_stripe_refund), because Stripe has already paid it.
--
-- Failed refunds are applied first, so that the result does not depend on whether an earlier webhook reported them.
-- Refunds from here follow, so that all others must have been made by hand. Locks the refunds in id order, as
-- payments.record_refunds does. The caller holds the event's lock. Internal. Returns the changes: {refunded} when a
-- booking was closed, {beyond} for each excess refund.

create or replace function payments.apply_refunds(intent payments.intents, refunds jsonb)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    refund record;
    the_own_id uuid;
    the_returned bigint := (
        select sum(r.amount_cents)
        from jsonb_to_recordset(apply_refunds.refunds) as r (amount_cents bigint, status text)
        where r.status not in ('failed', 'canceled')
    );
    did text[] := '{}';
begin
    perform
    from payments.refunds as r
    where r.intent_id = (apply_refunds.intent).id
    order by r.id
    for no key update;

    for refund in
        select r.*, r.status in ('failed', 'canceled') as has_failed
        from jsonb_to_recordset(apply_refunds.refunds) as r (
            stripe_id text, refund_id uuid, key text, amount_cents bigint, status text, failure_reason text
        )
        order by r.status not in ('failed', 'canceled'), r.refund_id is null, r.stripe_id
    loop
        if not payments.is_known_refund((apply_refunds.intent).id, refund.stripe_id) then
            select r.id into the_own_id
            from payments.refunds as r
            where
                r.intent_id = (apply_refunds.intent).id
                and r.id = refund.refund_id
                and r.stripe_refund_id is null
                and r.destination = 'original'
                -- An attempt from before a reopening has the old key, and does not match.
                and coalesce(refund.key = payments.refund_key(r), true);

            if found then
                perform payments.apply_refund(
                    the_own_id, refund.stripe_id, refund.status, refund.failure_reason
                );
            elsif refund.refund_id is null or not refund.has_failed then
                did := did || payments.import_stripe_refund(
                    apply_refunds.intent, refund.stripe_id, refund.amount_cents, the_returned, refund.has_failed
                );
            end if;
        end if;

        perform payments.apply_refund(r.id, refund.stripe_id, refund.status, refund.failure_reason)
        from (
            select r.id
            from payments.refunds as r
            where r.intent_id = (apply_refunds.intent).id and r.stripe_refund_id = refund.stripe_id
            order by r.id
        ) as r;
    end loop;
    return did;
end;
$$;

comment on function payments.apply_refunds(payments.intents, jsonb) is
'Update a payment''s refunds to Stripe''s state, and import those made directly at Stripe.';
