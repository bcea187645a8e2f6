-- organizations.list_members: return an organization's members with their names and addresses, for owners and admins.
--
-- One page, ordered by the person's id. Omits erased people, who have no rights. Records the read in the access log.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function organizations.list_members(
    organization_id uuid, after uuid default null, most integer default 100
)
returns table (user_id uuid, name text, email text, role organizations.member_role, created_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_organization(list_members.organization_id, 'admin', 'owner');

    return query
    with page as materialized (
        select m.user_id, p.name, users.verified_address(p) as email, m.role, m.created_at
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where
            m.organization_id = list_members.organization_id
            and (list_members.after is null or m.user_id > list_members.after)
        order by m.user_id
        limit least(list_members.most, 200)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'members',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', list_members.organization_id, 'person', g.user_id, 'rows', 1
                ))
                from page as g
            )
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.user_id;
end;
$$;

comment on function organizations.list_members(uuid, uuid, integer) is
'Return an organization''s members, for its owners and admins. One page, ordered by the person''s id.';

grant execute on function organizations.list_members(uuid, uuid, integer) to authenticated, service_role;
