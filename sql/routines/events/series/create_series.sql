-- events.create_series: create a series; its events are generated afterwards, in the same transaction.
--
-- `details` has the columns of events.series by name. Language, time zone and currency default to the organization's.
-- The caller has parsed and normalized the recurrence. Idempotent per caller and key: a repeated request returns the
-- series that the first one created. events.series_answer stores the response.
--
-- Refuses: 404 organization_not_found, 403 forbidden, 409 organization_archived, 409 too_many_series,
-- 422 idempotency_conflict, 422 invalid_request.

create or replace function events.create_series(details jsonb, idempotency_key text default null)
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        (details ->> 'organization_id')::uuid, 'editor', 'admin', 'owner'
    );
    the_series events.series;
    the_first_answer text;
begin
    the_series := jsonb_populate_record(
        null::events.series,
        jsonb_build_object(
            'id', ops.uuid_v7(),
            'language', the_organization.language,
            'time_zone', the_organization.time_zone,
            'currency', the_organization.currency,
            'price_cents', 0,
            'visibility', 'public',
            'resource_ids', '{}'::uuid []
        ) || jsonb_strip_nulls(events.complete_places(null, details)) || jsonb_build_object(
            'status', 'active',
            'created_at', statement_timestamp(),
            'updated_at', statement_timestamp()
        )
    );
    the_first_answer := ops.first_answer('create_series', create_series.idempotency_key, details);
    if the_first_answer is not null then
        select s.* into the_series from events.series as s where s.id = ops.answered_id(the_first_answer);
        return the_series;
    end if;

    perform events.refuse_archived(the_organization);
    perform events.limit_programme(the_organization.id, 'series');
    -- The caller's role may have changed while this waited for other requests.
    the_organization := events.require_organization(the_organization.id, 'editor', 'admin', 'owner');
    perform events.check_references(the_organization.id, details);
    insert into events.series
    select the_series.*
    returning * into the_series;
    perform ops.keep_answer('create_series', create_series.idempotency_key, jsonb_build_object('id', the_series.id));
    return the_series;
end;
$$;

comment on function events.create_series(jsonb, text) is 'Create a series. Idempotent per caller and key.';

grant execute on function events.create_series(jsonb, text) to authenticated, service_role;
