-- events.split_series: end a series before a local date, and continue its events in a new series from that date.
--
-- The new series has the same details, starts on `first_date` and follows `recurrence`, the remaining rule of the old
-- one. It takes over the old one's events from that date. Locks the series.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 series_archived, 409 too_many_series, 422 invalid_request for a
-- date that would leave the old series empty.

create or replace function events.split_series(series_id uuid, first_date date, recurrence text)
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.lock_series_for_edit(split_series.series_id);
    rest events.series := the_series;
    event_ids uuid[];
begin
    if
        (split_series.first_date > the_series.start_date) is not true
        or split_series.first_date > the_series.end_date
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The date must be after the first and not after the last date of the series.'
            )::text;
    end if;

    perform events.limit_programme(the_series.organization_id, 'series');
    -- The caller's role may have changed while this waited for other requests.
    the_series := events.lock_series_for_edit(the_series.id);
    rest.id := ops.uuid_v7();
    rest.recurrence := split_series.recurrence;
    rest.start_date := split_series.first_date;
    rest.continues_series_id := the_series.id;
    rest.created_at := statement_timestamp();
    rest.updated_at := statement_timestamp();
    insert into events.series select rest.*;

    update events.series as s
    set end_date = split_series.first_date - 1, updated_at = statement_timestamp()
    where s.id = the_series.id;

    with handed_over as (
        update events.occurrences as o
        set series_id = rest.id
        where o.series_id = the_series.id and o.local_start >= split_series.first_date
        returning o.event_id
    ),
    lost as (
        update events.lost_occurrences as l
        set series_id = rest.id
        where l.series_id = the_series.id and l.local_start >= split_series.first_date
        returning l.event_id
    )
    select array_agg(h.event_id) into event_ids
    from (select h.event_id from handed_over as h union all select l.event_id from lost as l) as h;

    update events.events as e
    set series_id = rest.id, updated_at = statement_timestamp()
    from events.terms as t
    where t.event_id = any (event_ids) and e.id = t.event_id and e.starts_at = t.starts_at;

    return rest;
end;
$$;

comment on function events.split_series(uuid, date, text) is
'Split a series at a local date. Returns the new series, which has the events from that date.';

grant execute on function events.split_series(uuid, date, text) to authenticated, service_role;
