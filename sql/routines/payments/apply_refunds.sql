-- payments.apply_refunds: bring a payment's refunds to the states in which Stripe has them.
--
-- Those that were made at Stripe itself, not by us, are taken over: the sale is undone by their amounts, never by more
-- than it was; when nothing is left of it, the booking is refunded and its seats go onwards. One that has failed by the
-- time it is heard of is taken over too, as if it had been heard of before: staff sees that the customer still waits.
-- When more went back there than was left of the sale, it is the money of a refund of ours that is still to be sent, or
-- that failed: somebody has sent it by hand. Those that failed come first, so that it does not matter whether that was
-- heard before. Locks the refunds in id order, as those who send them do. The caller holds
-- the event's lock. Internal. Answers what was done.

create or replace function payments.apply_refunds(intent payments.intents, refunds jsonb)
returns text[]
language plpgsql
security definer
set search_path = ''
as $$
declare
    refund record;
    the_refund_id uuid;
    the_rest bigint;
    the_returned bigint := (
        select sum(r.amount_cents)
        from jsonb_to_recordset(apply_refunds.refunds) as r (amount_cents bigint, status text)
        where r.status not in ('failed', 'canceled')
    );
    has_failed boolean;
    did text[] := '{}';
begin
    perform
    from payments.refunds as r
    where r.intent_id = (apply_refunds.intent).id
    order by r.id
    for no key update;

    for refund in
        select r.*
        from jsonb_to_recordset(apply_refunds.refunds) as r (
            stripe_id text, refund_id uuid, key text, amount_cents bigint, status text, failure_reason text
        )
        order by r.status not in ('failed', 'canceled'), r.stripe_id
    loop
        select r.id into the_refund_id
        from payments.refunds as r
        where
            r.intent_id = (apply_refunds.intent).id
            and (
                r.stripe_refund_id = refund.stripe_id
                -- One that failed before it was reopened has another key.
                or (
                    r.id = refund.refund_id
                    and r.stripe_refund_id is null
                    and coalesce(refund.key = payments.refund_key(r), true)
                )
            );

        -- One that was taken over before, failed and was reopened is another one by now.
        if
            the_refund_id is null
            and refund.refund_id is null
            and (apply_refunds.intent).booking_id is not null
            and not exists (
                select
                from payments.refunds as r
                where
                    r.booking_id = (apply_refunds.intent).booking_id and r.cause = 'stripe:' || refund.stripe_id
            )
        then
            the_rest := coalesce(
                (
                    select s.amount_cents - s.refunded_cents
                    from payments.sales as s
                    where s.booking_id = (apply_refunds.intent).booking_id
                ),
                0
            );
            has_failed := refund.status in ('failed', 'canceled');

            if the_rest < refund.amount_cents and not has_failed then
                the_refund_id := payments.adopt_refund(
                    apply_refunds.intent, refund.stripe_id, refund.amount_cents, the_returned
                );
            end if;

            if the_refund_id is null and the_rest > 0 and (the_rest >= refund.amount_cents or not has_failed) then
                perform payments.refund_bookings(
                    array[(apply_refunds.intent).booking_id], 'stripe:' || refund.stripe_id, 'original',
                    array[least(the_rest, refund.amount_cents)]
                );
                select r.id into the_refund_id
                from payments.refunds as r
                where
                    r.booking_id = (apply_refunds.intent).booking_id and r.cause = 'stripe:' || refund.stripe_id;
                if the_rest <= refund.amount_cents and events.end_refunded((apply_refunds.intent).booking_id) then
                    did := did || 'refunded'::text;
                end if;
            elsif the_refund_id is null and not has_failed then
                -- Nothing is left to undo: only the money moves.
                insert into payments.refunds (
                    booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
                    sold
                )
                values (
                    (apply_refunds.intent).booking_id, (apply_refunds.intent).id,
                    (apply_refunds.intent).organization_id, (apply_refunds.intent).customer_id, refund.amount_cents,
                    (apply_refunds.intent).currency, 'original', 'stripe:' || refund.stripe_id, false
                )
                returning id into the_refund_id;
            end if;
        end if;

        if
            the_refund_id is null
            and refund.refund_id is null
            and (apply_refunds.intent).purchase_id is not null
            and refund.status not in ('failed', 'canceled')
        then
            the_refund_id := payments.take_over_refund(apply_refunds.intent, refund.stripe_id, refund.amount_cents);
        end if;

        if the_refund_id is not null then
            perform payments.apply_refund(the_refund_id, refund.stripe_id, refund.status, refund.failure_reason);
        end if;
    end loop;
    return did;
end;
$$;

comment on function payments.apply_refunds(payments.intents, jsonb) is
'Bring a payment''s refunds to the states in which Stripe has them.';
