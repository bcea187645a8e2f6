-- events.set_series_status: pause, resume or archive a series.
--
-- A paused series keeps its events and gets no new ones. Archiving ends a series: unused upcoming events are deleted,
-- the others stay. Locks the series. Setting the current status again changes nothing and returns the series.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 invalid_transition.

create or replace function events.set_series_status(
    series_id uuid, status events.series_status, reason text default null
)
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series := events.require_series(set_series_status.series_id, 'editor', 'admin', 'owner');
begin
    if the_series.status <> set_series_status.status then
        update events.series as s
        set
            status = set_series_status.status,
            status_reason = left(set_series_status.reason, 500),
            updated_at = statement_timestamp()
        where s.id = the_series.id
        returning s.* into the_series;

        if the_series.status = 'archived' then
            perform events.drop_events(
                array(
                    select e.id
                    from events.events as e
                    where
                        e.series_id = the_series.id
                        and e.starts_at > statement_timestamp()
                        and e.status in ('draft', 'scheduled')
                ),
                set_series_status.reason,
                cancel_booked => false
            );
        end if;
    end if;
    return the_series;
end;
$$;

comment on function events.set_series_status(uuid, events.series_status, text) is 'Pause, resume or archive a series.';

grant execute on function events.set_series_status(uuid, events.series_status, text) to authenticated, service_role;
