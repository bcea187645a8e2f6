-- events.event_summary: return an event's main facts, with its times in its own zone.
--
-- Called by routines that have checked the caller's permission.

create or replace function events.event_summary(event_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'event_id', e.id,
        'title', e.title,
        'status', e.status,
        'starts_at', e.starts_at,
        'ends_at', e.ends_at,
        'local_start', to_char(e.starts_at at time zone e.time_zone, 'YYYY-MM-DD"T"HH24:MI:SS'),
        'time_zone', e.time_zone,
        'organization_id', o.id,
        'organization', o.name,
        'location', l.name
    )
    from events.events as e
    inner join organizations.organizations as o on o.id = e.organization_id
    left join organizations.locations as l on l.id = e.location_id
    where
        e.id = event_summary.event_id
        and e.starts_at = (select t.starts_at from events.terms as t where t.event_id = event_summary.event_id);
$$;

comment on function events.event_summary(uuid) is 'Return an event''s main facts, with its times in its own zone.';
