-- organizations.require_customer: refuse a person whom the caller may not name as a customer of an organization.
--
-- The caller is staff of the organization or the service, which other routines have checked. Staff may name customers
-- of the organization; the service may name anyone. A stranger, an erased person and an id of nobody cause the same
-- refusal at the same cost, because the relation is read before the profile. Locks nothing.
--
-- Refuses: 404 customer_not_found.

create or replace function organizations.require_customer(organization_id uuid, customer_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        (
            ops.caller_is_service()
            or organizations.has_customer(require_customer.organization_id, require_customer.customer_id)
        ) is not true
        or not exists (
            select from users.profiles as p where p.id = require_customer.customer_id and p.erased_at is null
        )
    then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;
end;
$$;

comment on function organizations.require_customer(uuid, uuid) is
'Refuse a person whom the caller may not name as a customer of an organization.';
