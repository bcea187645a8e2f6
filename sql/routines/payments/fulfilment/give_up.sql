-- payments.give_up: let go of the seats of a payment that was cancelled at Stripe.
--
-- The caller holds the event's lock; the seats are offered onwards. Internal. Answers what was done.

create or replace function payments.give_up(intent payments.intents)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (give_up.intent).purchase_id is not null then
        update payments.purchases as p
        set status = 'expired'
        where p.id = (give_up.intent).purchase_id and p.status = 'pending';
        return case when found then array['abandoned'] else '{}' end;
    end if;

    if events.abandon_unpaid((give_up.intent).booking_id) then
        return array['abandoned'];
    end if;
    return '{}';
end;
$$;

comment on function payments.give_up(payments.intents) is
'Let go of the seats of a payment that was cancelled at Stripe.';
