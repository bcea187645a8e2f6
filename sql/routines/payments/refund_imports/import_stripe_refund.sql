-- payments.import_stripe_refund: record a refund that was made directly at Stripe, to the last cent.
--
-- If enough of the sale is refundable, the refund reverses that part, and takes back a package's credits. Otherwise it
-- first completes refunds from here that are unsent or failed, because somebody has sent them by hand. Then it reverses
-- the rest of the sale. The remaining amount is an excess refund, the customer's debt.
--
-- A refund that failed before this import still reverses the sale, as if an earlier webhook had reported it. So staff
-- see that the customer still waits for the money. The rows receive Stripe's id; the caller then applies Stripe's state
-- to them. `returned_cents` is the total that Stripe has refunded of this payment. The caller has locked the refunds.
-- Internal. Returns the changes: refunded when a booking was closed, beyond for an excess refund.

create or replace function payments.import_stripe_refund(
    intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint, has_failed boolean
)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_remaining bigint := import_stripe_refund.amount_cents;
    the_refundable bigint := payments.refundable_cents(import_stripe_refund.intent);
    the_refund payments.refunds;
    did text[] := '{}';
begin
    while the_remaining > 0 and the_refundable < the_remaining and not import_stripe_refund.has_failed loop
        the_refund := payments.match_stripe_refund(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, the_remaining,
            import_stripe_refund.returned_cents
        );
        exit when the_refund.id is null;
        -- The id is set now, so that the next pass does not match the same refund again.
        update payments.refunds as r
        set stripe_refund_id = import_stripe_refund.stripe_id
        where r.id = the_refund.id;
        the_remaining := the_remaining - the_refund.amount_cents;
    end loop;

    if least(the_refundable, the_remaining) > 0 then
        perform payments.reverse_refunded_sale(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, least(the_refundable, the_remaining)
        );
        the_remaining := the_remaining - least(the_refundable, the_remaining);
    end if;

    if the_remaining > 0 and not import_stripe_refund.has_failed then
        did := did || payments.record_excess_refund(
            import_stripe_refund.intent, import_stripe_refund.stripe_id, the_remaining
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
    if payments.close_refunded_payment(import_stripe_refund.intent) then
        did := array['refunded'] || did;
    end if;
    return did;
end;
$$;

comment on function payments.import_stripe_refund(payments.intents, text, bigint, bigint, boolean) is
'Record a refund that was made directly at Stripe, to the last cent.';
