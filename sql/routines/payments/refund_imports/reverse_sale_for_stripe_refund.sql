-- payments.reverse_sale_for_stripe_refund: reverse the part of a sale that was refunded directly at Stripe.
--
-- A booking whose whole price was refunded this way is closed as refunded, and its seats are offered again. For a
-- package the organization pays and the credits stay, so that staff can decide. Works once per refund at Stripe. The
-- caller holds the event's lock, or the payment's. Internal. Returns {refunded} when the booking was closed, else {}.

create or replace function payments.reverse_sale_for_stripe_refund(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint
)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_cause text := 'stripe:' || reverse_sale_for_stripe_refund.stripe_id;
    the_booking_id uuid := (reverse_sale_for_stripe_refund.intent).booking_id;
    the_refund payments.refunds;
begin
    if the_booking_id is not null then
        perform payments.refund_bookings(
            array[the_booking_id], the_cause, 'original', array[reverse_sale_for_stripe_refund.amount_cents]
        );
        if
            payments.refundable_cents(reverse_sale_for_stripe_refund.intent) = 0
            and events.close_refunded_booking(the_booking_id)
        then
            return array['refunded'];
        end if;
        return '{}';
    end if;

    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (reverse_sale_for_stripe_refund.intent).purchase_id, (reverse_sale_for_stripe_refund.intent).id,
        (reverse_sale_for_stripe_refund.intent).organization_id,
        (reverse_sale_for_stripe_refund.intent).customer_id, reverse_sale_for_stripe_refund.amount_cents,
        (reverse_sale_for_stripe_refund.intent).currency, 'original',
        the_cause, false
    )
    returning * into the_refund;

    perform payments.post_between_owners(
        kind => 'refund',
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                'cents', the_refund.amount_cents
            ),
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', -the_refund.amount_cents
            )
        ),
        idempotency_key => 'refund:' || the_refund.id,
        reference_type => 'refund',
        reference_id => the_refund.id
    );
    return '{}';
end;
$$;

comment on function payments.reverse_sale_for_stripe_refund(payments.intents, text, bigint) is
'Reverse the part of a sale that was refunded directly at Stripe.';
