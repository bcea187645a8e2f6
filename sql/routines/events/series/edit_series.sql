-- events.edit_series: edit a series and all its upcoming events, and report which bookings this cancelled.
--
-- `changes` has columns of events.series by name. A missing member keeps its value. For a changed rule, `occurrences`
-- has the new occurrences from the series' local today up to `until` (events.reschedule_occurrences). Events that have
-- started never change. Locks the series, then the inventories of its upcoming events in id order.
--
-- `confirmed` is the consent to cancel bookings and waitlist entries: true, or the largest numbers to accept. The
-- numbers are counted under the locks, so that they are those of the commit. Returns the series as JSON, with the
-- numbers in `cancelled`.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 capacity_below_sold, 409 series_archived, 409 would_cancel,
-- 422 invalid_request.

create or replace function events.edit_series(
    series_id uuid,
    changes jsonb,
    occurrences jsonb default null,
    until date default null,
    confirmed jsonb default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.lock_series_for_edit(edit_series.series_id);
    edited events.series;
    concerned events.commitments;
    cancelled jsonb;
begin
    perform events.check_references(the_series.organization_id, changes);
    edited := jsonb_populate_record(the_series, changes);
    if edit_series.occurrences is not null or changes ? 'capacity' then
        concerned := events.lock_commitments(the_series.id);
    end if;

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
        anchor_date = edited.anchor_date,
        duration_minutes = edited.duration_minutes,
        capacity = edited.capacity,
        price_cents = edited.price_cents,
        location_id = edited.location_id,
        instructor_id = edited.instructor_id,
        policy_id = edited.policy_id,
        visibility = edited.visibility,
        updated_at = statement_timestamp()
    where s.id = the_series.id;

    if edit_series.occurrences is not null then
        perform events.reschedule_occurrences(the_series.id, edit_series.occurrences, edit_series.until);
    end if;
    perform events.copy_details(the_series.id, changes);

    cancelled := events.cancelled_commitments(concerned);
    perform events.require_confirmation(cancelled, edit_series.confirmed);
    select s.* into the_series from events.series as s where s.id = the_series.id;
    return to_jsonb(the_series) || jsonb_build_object('cancelled', cancelled);
end;
$$;

comment on function events.edit_series(uuid, jsonb, jsonb, date, jsonb) is
'Edit a series and all its upcoming events. Cancels bookings only with confirmation.';

grant execute on function events.edit_series(uuid, jsonb, jsonb, date, jsonb) to authenticated, service_role;
