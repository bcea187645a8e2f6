-- events.update_event: edit one event; an event of a series then no longer follows the series' edits.
--
-- `changes` has columns of events.events by name, with capacity and policy_id. A missing member keeps its value. Locks
-- the event's inventory, after the closures (shared). Notifies customers and instructors (events.field_notices).
--
-- `confirmed` is the consent to close waitlist entries, which a smaller capacity or an earlier end of sales does: true,
-- or the largest numbers to accept. Returns the event as JSON, with the numbers in `cancelled`.
--
-- Refuses: 404 event_not_found, 403 forbidden, 409 capacity_below_sold, 409 double_booked, 409 event_begun,
-- 409 event_not_editable, 409 invalid_transition, 409 place_closed, 409 would_cancel, 422 invalid_request.

create or replace function events.update_event(event_id uuid, changes jsonb, confirmed jsonb default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_staff(update_event.event_id, 'editor', 'admin', 'owner');
    the_event events.events;
    edited events.events;
    concerned events.commitments;
    cancelled jsonb;
begin
    perform events.lock_closures(array[the_terms.organization_id]);
    perform events.lock_inventory(update_event.event_id);
    -- The caller's role may have changed while this waited.
    the_terms := events.require_staff(update_event.event_id, 'editor', 'admin', 'owner');
    select e.* into the_event
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where t.event_id = update_event.event_id;

    if the_event.status not in ('draft', 'scheduled') then
        raise exception using errcode = 'PT409', message = 'event_not_editable',
            detail = jsonb_build_object('status', the_event.status)::text;
    end if;
    if the_event.starts_at <= statement_timestamp() then
        raise exception using errcode = 'PT409', message = 'event_begun',
            detail = jsonb_build_object('starts_at', the_event.starts_at)::text;
    end if;

    perform events.check_references(the_event.organization_id, changes);
    edited := jsonb_populate_record(the_event, events.complete_places(to_jsonb(the_event), changes));
    perform events.check_times(edited.starts_at, edited.ends_at);
    concerned := events.lock_commitments(array[the_event.id]);

    update events.events as e
    set
        title = edited.title,
        description = edited.description,
        category = edited.category,
        language = edited.language,
        time_zone = edited.time_zone,
        starts_at = edited.starts_at,
        ends_at = edited.ends_at,
        price_cents = edited.price_cents,
        location_id = edited.location_id,
        room_id = edited.room_id,
        instructor_id = edited.instructor_id,
        resource_ids = edited.resource_ids,
        visibility = edited.visibility,
        status = edited.status,
        policy = case
            when changes ? 'policy_id' then events.policy_snapshot((changes ->> 'policy_id')::uuid) else e.policy
        end,
        detached = e.series_id is not null,
        updated_at = statement_timestamp()
    where e.id = the_event.id and e.starts_at = the_event.starts_at;

    if changes ? 'capacity' then
        perform events.set_capacity(the_event.id, (changes ->> 'capacity')::integer);
    end if;

    perform events.notify_event_change(
        array[the_event.id], array[the_event.starts_at], events.changed_fields(the_event, edited)
    );
    perform events.notify_substitution(
        array[the_event.id], array[the_event.instructor_id], array[edited.instructor_id]
    );
    cancelled := events.cancelled_commitments(concerned);
    perform events.require_confirmation(cancelled, update_event.confirmed);
    return events.event_answer(the_event.id) || jsonb_build_object('cancelled', cancelled);
end;
$$;

comment on function events.update_event(uuid, jsonb, jsonb) is
'Edit one event. Closes waitlist entries only with confirmation. Returns the event.';

grant execute on function events.update_event(uuid, jsonb, jsonb) to authenticated, service_role;
