-- payments.payment_details: the payment of a booking, for whoever pays it and for the staff who may take it.
--
-- Volatile, since it is asked in the statement that makes the booking too, and is to see it. Records in the access log
-- that staff read it; customers who pay for themselves cost it nothing.
--
-- Refuses: 403 forbidden, 404 payment_not_found.

create or replace function payments.payment_details(booking_id uuid)
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
    return payments.payment_answer(the_intent.id);
end;
$$;

comment on function payments.payment_details(uuid) is 'The payment of a booking, for who pays it and for staff.';

grant execute on function payments.payment_details(uuid) to authenticated, service_role;
