-- organizations.list_tax_rates: return an organization's own tax rates, the latest day first.
--
-- For its members and the service.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.list_tax_rates(organization_id uuid)
returns setof organizations.tax_rates
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        list_tax_rates.organization_id, variadic enum_range(null::organizations.member_role)
    );
begin
    return query
    select r.*
    from organizations.tax_rates as r
    where r.organization_id = the_organization.id
    order by r.valid_from desc, r.category
    limit 500;
end;
$$;

comment on function organizations.list_tax_rates(uuid) is
'Return an organization''s own tax rates, the latest day first.';

grant execute on function organizations.list_tax_rates(uuid) to authenticated, service_role;
