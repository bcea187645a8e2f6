-- events.copy_event: create a single event with the details of another one of the organization, without its bookings.
--
-- `details` has either `starts_at` or `date`, which keeps the local start; `status`; and in `changes` columns of
-- events.events by name, with capacity, policy_id and duration_minutes. The copy has the terms of the original's
-- booking policy, unless a policy is named. The original may be over, cancelled or an event of a series. Idempotent
-- per caller and key: a repeated request returns the first response.
--
-- Refuses: 404 event_not_found, 403 forbidden, 409 double_booked, 409 organization_archived, 409 place_closed,
-- 409 too_many_events, 422 idempotency_conflict, 422 invalid_request.

create or replace function events.copy_event(event_id uuid, details jsonb, idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_staff(copy_event.event_id, 'editor', 'admin', 'owner');
    the_changes jsonb := coalesce(nullif(details -> 'changes', 'null'), '{}');
    the_event events.events;
    the_seats integer;
    the_duration interval;
    the_first_answer text := ops.first_answer(
        'copy_event', copy_event.idempotency_key, details || jsonb_build_object('event_id', copy_event.event_id)
    );
begin
    if the_first_answer is not null then
        return the_first_answer::jsonb;
    end if;

    perform events.limit_programme(the_terms.organization_id, 'event');
    -- The event and the caller's role may have changed while this waited for other requests.
    the_terms := events.require_staff(copy_event.event_id, 'editor', 'admin', 'owner');
    perform events.refuse_archived(
        events.require_organization(the_terms.organization_id, 'editor', 'admin', 'owner')
    );
    select e.* into the_event
    from events.events as e
    where e.id = the_terms.event_id and e.starts_at = the_terms.starts_at;
    select i.capacity into the_seats from events.inventory as i where i.event_id = the_terms.event_id;

    the_duration := case
        when the_changes ? 'duration_minutes'
        then make_interval(mins => (the_changes ->> 'duration_minutes')::integer)
        else the_event.ends_at - the_event.starts_at
    end;
    -- An archived place or instructor of the original must be replaced, so the result is checked and not the changes.
    perform events.check_references(
        the_event.organization_id,
        jsonb_build_object(
            'location_id', the_event.location_id, 'room_id', the_event.room_id,
            'instructor_id', the_event.instructor_id, 'resource_ids', the_event.resource_ids
        ) || events.complete_places(to_jsonb(the_event), the_changes)
    );
    the_event := jsonb_populate_record(the_event, events.complete_places(to_jsonb(the_event), the_changes));
    the_event.id := ops.uuid_v7();
    the_event.series_id := null;
    the_event.status := (details ->> 'status')::events.event_status;
    the_event.starts_at := coalesce(
        (details ->> 'starts_at')::timestamptz,
        ops.local_instant(
            (details ->> 'date')::date + (the_terms.starts_at at time zone the_event.time_zone)::time,
            the_event.time_zone
        )
    );
    the_event.ends_at := the_event.starts_at + the_duration;
    if the_changes ? 'policy_id' then
        the_event.policy := events.policy_snapshot((the_changes ->> 'policy_id')::uuid);
    end if;
    if the_changes ? 'capacity' then
        the_seats := (the_changes ->> 'capacity')::integer;
    end if;
    perform events.insert_event(the_event, the_seats);

    return ops.keep_answer('copy_event', copy_event.idempotency_key, events.event_answer(the_event.id));
end;
$$;

comment on function events.copy_event(uuid, jsonb, text) is
'Create a single event with the details of another one, without its bookings. Idempotent per caller and key.';

grant execute on function events.copy_event(uuid, jsonb, text) to authenticated, service_role;
