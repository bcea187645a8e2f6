-- payments.expire_cancelled_payment: expire the booking or purchase of a payment that was cancelled at Stripe.
--
-- Frees the seats and offers them to the waitlist. The caller holds the event's lock. Repeating it changes nothing.
-- Internal. Returns {abandoned}, or nothing when the booking or purchase was not pending.

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
'Expire the booking or purchase of a payment that was cancelled at Stripe.';
