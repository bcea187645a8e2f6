-- events.double_bookings: list rooms, instructors and resources that two upcoming events use at the same time.
--
-- For members who manage events: editors, admins and owners, and the service. By start, at most `most` pairs, each
-- once. Locks nothing.
--
-- Refuses: 404 organization_not_found, 403 forbidden.

create or replace function events.double_bookings(organization_id uuid, most integer default 100)
returns table (
    event_id uuid,
    other_event_id uuid,
    room_id uuid,
    instructor_id uuid,
    resource_id uuid,
    starts_at timestamptz,
    ends_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    the_organization organizations.organizations := events.require_organization(
        double_bookings.organization_id, 'editor', 'admin', 'owner'
    );
begin
    return query
    select
        o.event_id, p.event_id, o.room_id, o.instructor_id, o.resource_id,
        greatest(o.starts_at, p.starts_at), least(o.ends_at, p.ends_at)
    from events.occupancies as o
    inner join events.occupancies as p
        on
            p.subject_id = o.subject_id
            and p.starts_at < o.ends_at
            and p.starts_at > o.starts_at - interval '768 hours'
            and p.ends_at > o.starts_at
            and (p.starts_at, p.event_id) > (o.starts_at, o.event_id)
    where o.organization_id = the_organization.id and o.ends_at > statement_timestamp()
        and p.ends_at > statement_timestamp()
    order by 6, 1, 2, o.subject_id
    limit least(double_bookings.most, 200);
end;
$$;

comment on function events.double_bookings(uuid, integer) is
'List rooms, instructors and resources that two upcoming events use at the same time.';

grant execute on function events.double_bookings(uuid, integer) to authenticated, service_role;
