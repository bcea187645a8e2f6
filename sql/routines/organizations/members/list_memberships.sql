-- organizations.list_memberships: return the organizations for which the caller may act, with the role in each.
--
-- One page, ordered by the organization's id. None for the service.
--
-- Refuses: 403 forbidden, to an erased person.

create or replace function organizations.list_memberships(after uuid default null, most integer default 100)
returns table (
    organization_id uuid, name text, slug text, role organizations.member_role, created_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();

    return query
    select m.organization_id, o.name, o.slug, m.role, m.created_at
    from organizations.memberships as m
    inner join organizations.organizations as o on o.id = m.organization_id
    where
        m.user_id = ops.caller_id()
        and (list_memberships.after is null or m.organization_id > list_memberships.after)
    order by m.organization_id
    limit least(list_memberships.most, 200);
end;
$$;

comment on function organizations.list_memberships(uuid, integer) is
'Return the organizations for which the caller may act, with the role in each. One page.';

grant execute on function organizations.list_memberships(uuid, integer) to authenticated, service_role;
