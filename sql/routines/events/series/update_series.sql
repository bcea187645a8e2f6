-- events.update_series: edit a series and all its upcoming events.
--
-- `changes` has columns of events.series by name. A missing member keeps its value. For a changed rule, `occurrences`
-- has the new occurrences from the series' local today up to `until` (events.reschedule_occurrences). Events that have
-- started never change. Locks the series, then its events' inventories in id order.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 capacity_below_sold, 409 series_archived, 422 invalid_request.

create or replace function events.update_series(
    series_id uuid, changes jsonb, occurrences jsonb default null, until date default null
)
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.lock_series_for_edit(update_series.series_id);
    edited events.series;
begin
    perform events.check_references(the_series.organization_id, changes);
    edited := jsonb_populate_record(the_series, changes);

    update events.series as s
    set
        title = edited.title,
        description = edited.description,
        category = edited.category,
        language = edited.language,
        time_zone = edited.time_zone,
        recurrence = edited.recurrence,
        local_start_time = edited.local_start_time,
        start_date = edited.start_date,
        end_date = edited.end_date,
        duration_minutes = edited.duration_minutes,
        capacity = edited.capacity,
        price_cents = edited.price_cents,
        location_id = edited.location_id,
        instructor_id = edited.instructor_id,
        policy_id = edited.policy_id,
        visibility = edited.visibility,
        updated_at = statement_timestamp()
    where s.id = the_series.id;

    if update_series.occurrences is not null then
        perform events.reschedule_occurrences(the_series.id, update_series.occurrences, update_series.until);
    end if;
    perform events.copy_details(the_series.id, changes);

    select s.* into the_series from events.series as s where s.id = the_series.id;
    return the_series;
end;
$$;

comment on function events.update_series(uuid, jsonb, jsonb, date) is 'Edit a series and all its upcoming events.';

grant execute on function events.update_series(uuid, jsonb, jsonb, date) to authenticated, service_role;
