-- payments.payment_details: return the payment of a booking, for its customer and for staff.
--
-- With `is_first_answer` a cancelled payment keeps its secret, so that a repeated booking has the first response.
-- Volatile, because the statement that creates the booking also calls it and must see the new row. Records reads by
-- staff in the access log; a customer's read of their own payment is not recorded.
--
-- Refuses: 403 forbidden, 404 payment_not_found.

create or replace function payments.payment_details(booking_id uuid, is_first_answer boolean default false)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_intent payments.intents;
begin
    perform users.refuse_erased();
    select i.* into the_intent from payments.intents as i where i.booking_id = payment_details.booking_id;

    if
        not found
        or (
            the_intent.customer_id = ops.caller_id() or events.is_staff(the_intent.organization_id)
        ) is not true
    then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;
    if the_intent.customer_id is distinct from ops.caller_id() then
        perform ops.add_accesses(
            operation => 'payment',
            read => jsonb_build_array(jsonb_build_object(
                'organization_id', the_intent.organization_id, 'person', the_intent.customer_id, 'rows', 1
            ))
        );
    end if;
    return payments.payment_answer(the_intent.id)
    || case
        when payment_details.is_first_answer then jsonb_build_object('client_secret', the_intent.client_secret)
        else '{}'
    end;
end;
$$;

comment on function payments.payment_details(uuid, boolean) is
'Return the payment of a booking, for its customer and for staff.';

grant execute on function payments.payment_details(uuid, boolean) to authenticated, service_role;
