-- events.substitute_instructor: let another instructor lead one event, and remember in whose place.
--
-- An edit of the event (events.update_event): an event of a series no longer follows the series' edits, and customers
-- and both instructors are notified. The absent instructor is the one who led the event before the first substitution.
-- Naming the present instructor again changes only the note. Naming the absent one ends the substitution. The audit
-- of the organization keeps each change. Locks the event's inventory. Returns the event as JSON.
--
-- Refuses: 404 event_not_found, 403 forbidden, 409 double_booked, 409 event_begun, 409 event_not_editable,
-- 422 invalid_request.

create or replace function events.substitute_instructor(event_id uuid, instructor_id uuid, note text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    former_id uuid;
    absent_id uuid;
    the_answer jsonb;
begin
    the_terms := events.require_staff(substitute_instructor.event_id, 'editor', 'admin', 'owner');
    -- First, as in events.update_event.
    perform events.lock_closures(array[the_terms.organization_id]);
    perform events.lock_inventory(substitute_instructor.event_id);
    -- The instructor is read under the lock, since another edit may have changed it.
    former_id := (events.event_answer(substitute_instructor.event_id) ->> 'instructor_id')::uuid;

    if former_id = substitute_instructor.instructor_id then
        perform events.require_staff(substitute_instructor.event_id, 'editor', 'admin', 'owner');
        update events.substitutions as s
        set note = substitute_instructor.note
        where
            s.event_id = substitute_instructor.event_id
            and s.instructor_id = former_id
            and substitute_instructor.note is not null;
        return events.event_answer(substitute_instructor.event_id);
    end if;

    the_answer := events.update_event(
        substitute_instructor.event_id, jsonb_build_object('instructor_id', substitute_instructor.instructor_id)
    ) - 'cancelled';
    absent_id := coalesce(
        (
            select s.absent_instructor_id
            from events.substitutions as s
            where s.event_id = substitute_instructor.event_id and s.instructor_id = former_id
        ),
        former_id
    );

    delete from events.substitutions as s where s.event_id = substitute_instructor.event_id;
    insert into events.substitutions (event_id, organization_id, instructor_id, absent_instructor_id, note)
    select
        substitute_instructor.event_id, (the_answer ->> 'organization_id')::uuid, substitute_instructor.instructor_id,
        absent_id, substitute_instructor.note
    where absent_id <> substitute_instructor.instructor_id;

    perform organizations.record_change(
        organization_id => (the_answer ->> 'organization_id')::uuid,
        kind => 'event.substituted',
        subject_id => substitute_instructor.event_id,
        before => jsonb_build_object('instructor_id', former_id),
        after => jsonb_build_object('instructor_id', substitute_instructor.instructor_id)
    );
    return the_answer;
end;
$$;

comment on function events.substitute_instructor(uuid, uuid, text) is
'Let another instructor lead one event, and remember in whose place. Returns the event.';

grant execute on function events.substitute_instructor(uuid, uuid, text) to authenticated, service_role;
