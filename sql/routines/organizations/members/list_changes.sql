-- organizations.list_changes: return the changes of an organization with their authors, for its owners, newest first.
--
-- One page, which starts before a change. An author who was erased, or the service, has no name. Records the read of
-- the authors' names in the access log.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function organizations.list_changes(
    organization_id uuid, before_id uuid default null, most integer default 100
)
returns table (
    id uuid,
    kind text,
    subject_id uuid,
    actor_id uuid,
    actor_name text,
    before jsonb,
    after jsonb,
    created_at timestamptz
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_organization(list_changes.organization_id, 'owner');

    return query
    with page as materialized (
        select c.id, c.kind, c.subject_id, c.actor_id, p.name as actor_name, c.before, c.after, c.created_at
        from organizations.changes as c
        left join users.profiles as p on p.id = c.actor_id
        where
            c.organization_id = list_changes.organization_id
            and (list_changes.before_id is null or c.id < list_changes.before_id)
        order by c.id desc
        limit least(list_changes.most, 200)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'audit',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', list_changes.organization_id, 'person', g.actor_id, 'rows', 1
                ))
                from page as g
            )
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.id desc;
end;
$$;

comment on function organizations.list_changes(uuid, uuid, integer) is
'Return the changes of an organization with their authors, for its owners. One page, newest first.';

grant execute on function organizations.list_changes(uuid, uuid, integer) to authenticated, service_role;
