-- events.end_closure: end a closure early, so that events may be created in its time again.
--
-- Cancelled events stay cancelled. The daily generation creates the events of series that it skipped. Locks the
-- closure, then the series of the organization in id order. A repeated call changes nothing.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 404 closure_not_found.

create or replace function events.end_closure(organization_id uuid, closure_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        end_closure.organization_id, 'editor', 'admin', 'owner'
    );
    the_closure events.closures;
    first_date date;
begin
    select c.* into the_closure
    from events.closures as c
    where c.id = end_closure.closure_id and c.organization_id = the_organization.id
    for no key update;

    if not found then
        raise exception using errcode = 'PT404', message = 'closure_not_found';
    end if;
    -- The caller's role may have changed while this waited.
    perform events.require_organization(the_organization.id, 'editor', 'admin', 'owner');
    if the_closure.ended_at is not null then
        return;
    end if;

    update events.closures as c
    set ended_at = statement_timestamp()
    where c.id = the_closure.id;
    perform organizations.record_change(
        the_organization.id, 'closure.ended', the_closure.id, '{"ended": false}', '{"ended": true}'
    );

    perform
    from events.series as s
    where s.organization_id = the_organization.id and s.status <> 'archived'
    order by s.id
    for no key update;
    -- A day earlier, because the closure's date may be another one in the zone of a series.
    first_date := (the_closure.starts_at at time zone 'UTC')::date - 2;
    update events.series as s
    set generated_until = first_date
    where
        s.organization_id = the_organization.id
        and s.status <> 'archived'
        and s.generated_until > first_date;
end;
$$;

comment on function events.end_closure(uuid, uuid) is
'End a closure early, so that events may be created in its time again.';

grant execute on function events.end_closure(uuid, uuid) to authenticated, service_role;
