-- payments.import_stripe_refund: keep a refund that was made at Stripe itself, not by us, to the last cent of it.
--
-- It undoes the sale where enough is left of it. Else it is first taken for refunds of ours that are still to be sent,
-- or that failed: somebody has sent them by hand. Then it undoes what is left of the sale; what is beyond that too is
-- set apart, as the customer's debt. One that has failed by the time it is heard of undoes the sale as if it had been
-- heard of before: staff sees that the customer still waits. The rows get Stripe's id and are yet to be brought to its
-- state. returned_cents is what Stripe has sent back in all of this payment. The caller has locked the refunds.
-- Internal. Answers what was done.

create or replace function payments.import_stripe_refund(
    intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint, has_failed boolean
)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_left bigint := import_stripe_refund.amount_cents;
    the_rest bigint := payments.refundable_cents(import_stripe_refund.intent);
    the_refund payments.refunds;
    did text[] := '{}';
begin
    while the_left > 0 and the_rest < the_left and not import_stripe_refund.has_failed loop
        the_refund := payments.match_stripe_refund(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, the_left, import_stripe_refund.returned_cents
        );
        exit when the_refund.id is null;
        -- Marked at once, so that it is not found again.
        update payments.refunds as r
        set stripe_refund_id = import_stripe_refund.stripe_id
        where r.id = the_refund.id;
        the_left := the_left - the_refund.amount_cents;
    end loop;

    if least(the_rest, the_left) > 0 then
        did := did || payments.reverse_sale_for_stripe_refund(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, least(the_rest, the_left)
        );
        the_left := the_left - least(the_rest, the_left);
    end if;

    if the_left > 0 and not import_stripe_refund.has_failed then
        did := did || payments.record_excess_refund(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, the_left
        );
    end if;

    update payments.refunds as r
    set stripe_refund_id = import_stripe_refund.stripe_id
    where
        r.intent_id = (import_stripe_refund.intent).id
        and r.stripe_refund_id is null
        and r.cause in (
            'stripe:' || import_stripe_refund.stripe_id,
            'stripe:' || import_stripe_refund.stripe_id || ':beyond'
        );
    return did;
end;
$$;

comment on function payments.import_stripe_refund(payments.intents, text, bigint, bigint, boolean) is
'Keep a refund that was made at Stripe itself, to the last cent of it; answers what was done.';
