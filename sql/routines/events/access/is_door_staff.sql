-- events.is_door_staff: return whether the caller sees who comes to an event.
--
-- Front desk, editors, admins and owners of its organization do for each event, an instructor for the events that they
-- lead: those whose instructor is linked to their profile. The service does for all. Never null. Locks nothing.

create or replace function events.is_door_staff(event_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms from events.terms as t where t.event_id = is_door_staff.event_id;

    return organizations.caller_is(the_terms.organization_id, 'front_desk', 'editor', 'admin', 'owner')
        or (
            organizations.caller_is(the_terms.organization_id, 'instructor')
            and exists (
                select
                from events.events as e
                inner join organizations.instructors as i on i.id = e.instructor_id
                where
                    e.id = the_terms.event_id
                    and e.starts_at = the_terms.starts_at
                    and i.user_id = ops.caller_id()
            )
        );
end;
$$;

comment on function events.is_door_staff(uuid) is
'Whether the caller sees who comes to an event: staff of its organization, or the instructor who leads it.';
