-- events.organization_analytics: return an organization's key figures, for its accountants, viewers, editors, admins
-- and owners.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function events.organization_analytics(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from organizations.organizations as o
        where o.id = organization_analytics.organization_id
    ) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

    if not organizations.caller_is(
        organization_analytics.organization_id, 'accountant', 'viewer', 'editor', 'admin', 'owner'
    ) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only members of the organization may see these figures.')::text;
    end if;

    return (
        select to_jsonb(a)
        from public.org_analytics_mv as a
        where a.organization_id = organization_analytics.organization_id
    );
end;
$$;

comment on function events.organization_analytics(uuid) is 'Return an organization''s key figures, for its members.';

grant execute on function events.organization_analytics(uuid) to authenticated, service_role;
