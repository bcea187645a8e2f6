-- payments.purchase_details: return a purchase with its payment, for its customer and for staff.
--
-- Staff are front desk, accountants, admins and owners of the organization. Records their reads in the access log.
--
-- Refuses: 403 forbidden, 404 purchase_not_found.

create or replace function payments.purchase_details(purchase_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases;
begin
    perform users.refuse_erased();
    select p.* into the_purchase
    from payments.purchases as p
    where
        p.id = purchase_details.purchase_id
        and (
            p.customer_id = ops.caller_id()
            or organizations.caller_is(p.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
        );

    if not found then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;

    perform ops.add_accesses(
        operation => 'purchase',
        read => jsonb_build_array(jsonb_build_object(
            'organization_id', the_purchase.organization_id, 'person', the_purchase.customer_id, 'rows', 1
        ))
    );
    return payments.purchase_answer(the_purchase.id);
end;
$$;

comment on function payments.purchase_details(uuid) is
'Return a purchase with its payment, for its customer and for staff.';

grant execute on function payments.purchase_details(uuid) to authenticated, service_role;
