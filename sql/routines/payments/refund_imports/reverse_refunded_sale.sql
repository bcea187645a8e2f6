-- payments.reverse_refunded_sale: reverse the part of a sale that was refunded directly at Stripe.
--
-- The refund of a package takes back its credits in proportion. Works once per refund at Stripe. The caller holds the
-- event's lock, or the payment's, and has checked the amount against payments.refundable_cents. Internal.

create or replace function payments.reverse_refunded_sale(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_cause text := 'stripe:' || reverse_refunded_sale.stripe_id;
    the_booking_id uuid := (reverse_refunded_sale.intent).booking_id;
    the_refund payments.refunds;
begin
    if the_booking_id is not null then
        perform payments.refund_bookings(
            array[the_booking_id], the_cause, 'original', array[reverse_refunded_sale.amount_cents]
        );
        return;
    end if;

    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (reverse_refunded_sale.intent).purchase_id, (reverse_refunded_sale.intent).id,
        (reverse_refunded_sale.intent).organization_id,
        (reverse_refunded_sale.intent).customer_id, reverse_refunded_sale.amount_cents,
        (reverse_refunded_sale.intent).currency, 'original',
        the_cause, true
    )
    returning * into the_refund;

    perform payments.take_back_package(
        the_refund.purchase_id, the_refund.amount_cents,
        'package_refund:' || the_refund.purchase_id || ':' || the_refund.id
    );
end;
$$;

comment on function payments.reverse_refunded_sale(payments.intents, text, bigint) is
'Reverse the part of a sale that was refunded directly at Stripe.';
