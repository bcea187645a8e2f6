-- staging.convert_instances: convert class instances to events, with their ids, seats and series.
--
-- An active series continues on the day after its last instance. An existing event stays as it is.

create or replace function staging.convert_instances()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
begin
    drop table if exists pg_temp.instances;
    create temporary table instances on commit drop as
    select p.*
    from staging.parsed_instances as p;
    analyze pg_temp.instances;

    perform staging.make_places(
        array_agg(p.organization_id order by p.line), array_agg(p.instructor_name order by p.line),
        array_agg(p.location_name order by p.line), array_agg(p.location_city order by p.line)
    )
    from pg_temp.instances as p
    where p.reason is null;

    insert into events.events (
        id, starts_at, ends_at, organization_id, series_id, title, description, category, language, time_zone,
        price_cents, currency, location_id, instructor_id, policy, status, status_reason, created_at
    )
    select
        p.id, p.starts_at, p.ends_at, p.organization_id, p.series_id, p.title, p.description, p.category, p.language,
        p.time_zone, p.price_cents, p.currency,
        coalesce(
            (
                select l.id
                from organizations.locations as l
                where l.organization_id = p.organization_id and l.name = p.location_name
                order by l.id
                limit 1
            ),
            p.series_location_id
        ),
        coalesce(
            (
                select i.id
                from organizations.instructors as i
                where i.organization_id = p.organization_id and i.name = p.instructor_name
                order by i.id
                limit 1
            ),
            p.series_instructor_id
        ),
        events.policy_snapshot(null), p.status::events.event_status, 'It was imported.', p.created_at
    from pg_temp.instances as p
    where p.reason is null and not p.is_there
    order by p.starts_at, p.id;

    insert into events.inventory (event_id, capacity)
    select p.id, p.capacity
    from pg_temp.instances as p
    where p.reason is null
    order by p.id
    on conflict do nothing;

    insert into events.occurrences (series_id, local_start, event_id)
    select p.series_id, p.starts_at at time zone p.time_zone, p.id
    from pg_temp.instances as p
    where p.reason is null and not p.is_there and p.series_id is not null
    order by p.series_id, p.starts_at
    on conflict do nothing;

    update events.series as s
    set generated_until = n.last_day
    from (
        select p.series_id, max((p.starts_at at time zone p.time_zone)::date) as last_day
        from pg_temp.instances as p
        where p.reason is null and not p.is_there and p.series_id is not null
        group by p.series_id
    ) as n
    where s.id = n.series_id and (s.generated_until < n.last_day) is not false;

    insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_instances', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.instances as p;
    analyze staging.outcomes;
end;
$$;

comment on function staging.convert_instances() is
'Convert class instances to events, with their ids, seats and series.';
