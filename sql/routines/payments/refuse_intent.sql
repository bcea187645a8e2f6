-- payments.refuse_intent: keep why Stripe will not take a payment that it was asked for.
--
-- While its booking waits, the sweep asks again, later each time; afterwards the payment is over, for Stripe never had
-- it. Locks the payment. For the service. Answers where it stands; null when Stripe has it after all.

create or replace function payments.refuse_intent(intent_id uuid, error jsonb)
returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    standing text;
begin
    update payments.intents as i
    set
        last_error = refuse_intent.error,
        status = case when b.status = 'pending_payment' then i.status else 'cancelled' end
    from events.bookings as b
    where
        i.id = refuse_intent.intent_id
        and i.status = 'created'
        and i.stripe_payment_intent_id is null
        and b.id = i.booking_id
    returning i.status::text into standing;

    return standing;
end;
$$;

comment on function payments.refuse_intent(uuid, jsonb) is
'Keep why Stripe will not take a payment; ends it when its booking does not wait for it any more.';

grant execute on function payments.refuse_intent(uuid, jsonb) to service_role;
