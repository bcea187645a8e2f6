-- payments.expire_cancelled_payment: let go of the seats of a payment that was cancelled at Stripe.
--
-- The caller holds the event's lock; the seats are offered onwards. Internal. Answers what was done.

create or replace function payments.expire_cancelled_payment(intent payments.intents)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (expire_cancelled_payment.intent).purchase_id is not null then
        update payments.purchases as p
        set status = 'expired'
        where p.id = (expire_cancelled_payment.intent).purchase_id and p.status = 'pending';
        return case when found then array['abandoned'] else '{}' end;
    end if;

    if events.expire_unpaid_booking((expire_cancelled_payment.intent).booking_id) then
        return array['abandoned'];
    end if;
    return '{}';
end;
$$;

comment on function payments.expire_cancelled_payment(payments.intents) is
'Let go of the seats of a payment that was cancelled at Stripe.';
