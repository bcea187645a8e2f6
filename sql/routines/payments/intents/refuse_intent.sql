-- payments.refuse_intent: record why Stripe refused to create a payment, and cancel one that is no longer needed.
--
-- The sweep tries again, later each time, while the booking waits for its payment, or for a day for a package. After
-- that the payment is cancelled, because Stripe never had it. Locks the payment. For the service. Returns the payment's
-- status, or null when Stripe has it after all.

create or replace function payments.refuse_intent(intent_id uuid, error jsonb)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_new_status text;
begin
    -- A separate statement, whose wait ends before the next one reads whether the payment is still needed.
    perform from payments.intents as i where i.id = refuse_intent.intent_id for no key update;

    update payments.intents as i
    set
        last_error = refuse_intent.error,
        status = case
            when
                exists (
                    select from events.bookings as b where b.id = i.booking_id and b.status = 'pending_payment'
                )
                or exists (
                    select
                    from payments.purchases as p
                    where p.id = i.purchase_id and p.created_at > statement_timestamp() - interval '1 day'
                )
                then i.status
            else 'cancelled'
        end
    where
        i.id = refuse_intent.intent_id
        and i.status = 'created'
        and i.stripe_payment_intent_id is null
    returning i.status::text into the_new_status;

    return the_new_status;
end;
$$;

comment on function payments.refuse_intent(uuid, jsonb) is
'Record why Stripe refused to create a payment, and cancel one that is no longer needed.';

grant execute on function payments.refuse_intent(uuid, jsonb) to service_role;
