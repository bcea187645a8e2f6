-- organizations.require_customer_record: return a customer, or refuse a caller who has none of these roles.
--
-- A stranger, an erased person and an id of nobody cause the same refusal. Internal.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found.

create or replace function organizations.require_customer_record(
    organization_id uuid, customer_id uuid, variadic roles organizations.member_role[]
)
returns organizations.customers
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer organizations.customers;
begin
    perform events.require_organization(
        require_customer_record.organization_id, variadic require_customer_record.roles
    );
    select c.* into the_customer
    from organizations.customers as c
    inner join users.profiles as p on p.id = c.customer_id and p.erased_at is null
    where
        c.organization_id = require_customer_record.organization_id
        and c.customer_id = require_customer_record.customer_id;
    if not found then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;
    return the_customer;
end;
$$;

comment on function organizations.require_customer_record(uuid, uuid, organizations.member_role[]) is
'Return a customer, or refuse a caller who has none of these roles.';
