-- events.is_door_staff: return whether the caller may see the attendees of an event.
--
-- The organization's front desk, editors, admins and owners may, for each of its events. An instructor may for events
-- that they lead: the event's instructor is linked to their profile. The service may for all events. Never returns
-- null. Locks nothing.

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
'Return whether the caller may see an event''s attendees: staff of its organization, or the instructor who leads it.';
