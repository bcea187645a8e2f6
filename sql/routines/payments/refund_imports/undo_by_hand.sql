-- payments.undo_by_hand: undo as much of a sale as somebody has sent back at Stripe.
--
-- A booking's sale is undone by that amount; when nothing is left of it, the booking is refunded and its seats go
-- onwards. Of a package the organizer gives the money, and the credits stay as they are, for staff to decide. Once per
-- refund at Stripe. The caller holds the event's lock, or the payment's. Internal. Answers what was done.

create or replace function payments.undo_by_hand(intent payments.intents, stripe_id text, amount_cents bigint)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_cause text := 'stripe:' || undo_by_hand.stripe_id;
    the_booking_id uuid := (undo_by_hand.intent).booking_id;
    the_refund payments.refunds;
begin
    if the_booking_id is not null then
        perform payments.refund_bookings(
            array[the_booking_id], the_cause, 'original', array[undo_by_hand.amount_cents]
        );
        if payments.rest_of_sale(undo_by_hand.intent) = 0 and events.end_refunded(the_booking_id) then
            return array['refunded'];
        end if;
        return '{}';
    end if;

    insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (undo_by_hand.intent).purchase_id, (undo_by_hand.intent).id, (undo_by_hand.intent).organization_id,
        (undo_by_hand.intent).customer_id, undo_by_hand.amount_cents, (undo_by_hand.intent).currency, 'original',
        the_cause, false
    )
    returning * into the_refund;

    perform payments.move(
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

comment on function payments.undo_by_hand(payments.intents, text, bigint) is
'Undo as much of a sale as somebody has sent back at Stripe; answers what was done.';
