-- events.create_event: create an event without a series, as a draft or scheduled.
--
-- `details` has the columns of events.events by name, with capacity and policy_id. Language, time zone and currency
-- default to the organization's. Idempotent per caller and key: a repeated request returns the first response, even if
-- the event was edited since.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 409 double_booked, 409 organization_archived,
-- 409 place_closed, 409 too_many_events, 422 idempotency_conflict, 422 invalid_request.

create or replace function events.create_event(details jsonb, idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        (details ->> 'organization_id')::uuid, 'editor', 'admin', 'owner'
    );
    the_event events.events;
    placed jsonb;
    the_first_answer text := ops.first_answer('create_event', create_event.idempotency_key, details);
begin
    if the_first_answer is not null then
        return case
            when starts_with(the_first_answer, '{') then the_first_answer::jsonb
            else events.event_answer(ops.answered_id(the_first_answer))
        end;
    end if;

    perform events.limit_programme(the_organization.id, 'event');
    -- The caller's role may have changed while this waited for other requests.
    the_organization := events.require_organization(the_organization.id, 'editor', 'admin', 'owner');
    perform events.refuse_archived(the_organization);
    perform events.check_references(the_organization.id, details);
    placed := events.complete_places(null, details);
    the_event := jsonb_populate_record(
        null::events.events,
        jsonb_build_object(
            'language', the_organization.language,
            'time_zone', the_organization.time_zone,
            'currency', the_organization.currency,
            'price_cents', 0,
            'visibility', 'public',
            'status', 'scheduled',
            'resource_ids', '{}'::uuid []
        ) || jsonb_strip_nulls(placed)
    );
    the_event.id := ops.uuid_v7();

    the_event.organization_id := the_organization.id;
    the_event.policy := events.policy_snapshot((details ->> 'policy_id')::uuid);
    perform events.insert_event(the_event, (details ->> 'capacity')::integer);

    return ops.keep_answer('create_event', create_event.idempotency_key, events.event_answer(the_event.id));
end;
$$;

comment on function events.create_event(jsonb, text) is
'Create an event without a series. Idempotent per caller and key.';

grant execute on function events.create_event(jsonb, text) to authenticated, service_role;
