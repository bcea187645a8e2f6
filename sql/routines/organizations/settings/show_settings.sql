-- organizations.show_settings: return an organization with its settings and business details.
--
-- For its accountants, admins and owners, and for the service. Locks nothing.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function organizations.show_settings(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        show_settings.organization_id, 'accountant', 'admin', 'owner'
    );
begin
    return organizations.settings_answer(the_organization.id);
end;
$$;

comment on function organizations.show_settings(uuid) is
'Return an organization with its settings and business details.';

grant execute on function organizations.show_settings(uuid) to authenticated, service_role;
