-- payments.refuse_intent: record that Stripe refused for good to create a payment, and undo its booking or purchase.
--
-- The payment is cancelled with Stripe's reason, because Stripe never had it. An unpaid booking returns its seats, its
-- promo code, and the hold or offer that it used (events.undo_unpaid_booking), and an unpaid purchase expires. With
-- `quiet` the customer gets no message, because the response states the refusal. Locks the event's inventory, then the
-- payment. For the service. Returns the payment's status, also when it was refused before, or null when Stripe has it
-- after all.

create or replace function payments.refuse_intent(intent_id uuid, error jsonb, quiet boolean default false)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_intent payments.intents;
begin
    perform events.lock_inventory(b.event_id)
    from payments.intents as i
    inner join events.bookings as b on b.id = i.booking_id
    where i.id = refuse_intent.intent_id;

    update payments.intents as i
    set last_error = refuse_intent.error, status = 'cancelled'
    where
        i.id = refuse_intent.intent_id
        and i.status = 'created'
        and i.stripe_payment_intent_id is null
    returning i.* into the_intent;

    if not found then
        return (
            select i.status::text
            from payments.intents as i
            where
                i.id = refuse_intent.intent_id and i.status = 'cancelled' and i.stripe_payment_intent_id is null
        );
    end if;

    if the_intent.purchase_id is not null then
        perform payments.expire_cancelled_payment(the_intent);
    else
        perform events.undo_unpaid_booking(
            the_intent.booking_id, concat_ws(' ', 'Stripe refused the payment.', refuse_intent.error ->> 'message'),
            refuse_intent.quiet
        );
    end if;
    return the_intent.status;
end;
$$;

comment on function payments.refuse_intent(uuid, jsonb, boolean) is
'Record that Stripe refused for good to create a payment, and undo its booking or purchase.';

grant execute on function payments.refuse_intent(uuid, jsonb, boolean) to service_role;
