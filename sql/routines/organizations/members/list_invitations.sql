-- organizations.list_invitations: return an organization's invitations, for owners and admins, newest first.
--
-- One page, which starts before an invitation; of one status or any. Invitations are kept for 90 days after they
-- expired. Records the read in the access log: an accepted invitation is about its member, the others name no person.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function organizations.list_invitations(
    organization_id uuid, invitation_status text default null, before_id uuid default null, most integer default 100
)
returns table (answer jsonb)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_organization(list_invitations.organization_id, 'admin', 'owner');

    return query
    with page as materialized (
        select i.id, i.accepted_by, organizations.invitation_answer(i) as answer
        from organizations.invitations as i
        where
            i.organization_id = list_invitations.organization_id
            and (list_invitations.before_id is null or i.id < list_invitations.before_id)
            and (
                list_invitations.invitation_status is null
                or organizations.invitation_status(i) = list_invitations.invitation_status
            )
        order by i.id desc
        limit least(list_invitations.most, 200)
    ),

    recorded as materialized (
        select ops.add_accesses(
            operation => 'invitations',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', list_invitations.organization_id, 'person', g.accepted_by, 'rows', 1
                ))
                from page as g
            )
        )
    )

    select g.answer
    from page as g
    cross join recorded as r
    order by g.id desc;
end;
$$;

comment on function organizations.list_invitations(uuid, text, uuid, integer) is
'Return an organization''s invitations, for its owners and admins. One page, newest first.';

grant execute on function organizations.list_invitations(uuid, text, uuid, integer) to authenticated, service_role;
