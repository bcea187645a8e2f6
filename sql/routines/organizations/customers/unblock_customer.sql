-- organizations.unblock_customer: let a blocked customer book again. Idempotent.
--
-- For front desk, editors, admins and owners.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found.

create or replace function organizations.unblock_customer(organization_id uuid, customer_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers;
begin
    perform users.refuse_erased();
    the_customer := organizations.lock_customer_record(
        unblock_customer.organization_id, unblock_customer.customer_id
    );
    update organizations.customers as c
    set blocked_at = null, blocked_by = null, block_reason = null
    where
        c.organization_id = the_customer.organization_id
        and c.customer_id = the_customer.customer_id
        and c.blocked_at is not null;
    return organizations.show_customer(the_customer.organization_id, the_customer.customer_id);
end;
$$;

comment on function organizations.unblock_customer(uuid, uuid) is 'Let a blocked customer book again.';

grant execute on function organizations.unblock_customer(uuid, uuid) to authenticated, service_role;
