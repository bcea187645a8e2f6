-- staging.convert_templates: convert class templates to series, with their ids.
--
-- A template that is inactive, or has no recurrence rule, becomes a paused series, so that it generates no unwanted
-- events. A missing start time or date is that of its first instance. An existing series stays as it is.

create or replace function staging.convert_templates()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
begin
    drop table if exists pg_temp.templates;
    create temporary table templates on commit drop as
    select p.*
    from staging.parsed_templates as p;
    analyze pg_temp.templates;

    insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_templates', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.templates as p;
    analyze staging.outcomes;

    perform staging.make_places(
        array_agg(p.organization_id order by p.line), array_agg(p.instructor_name order by p.line),
        array_agg(p.location_name order by p.line), array_agg(p.location_city order by p.line)
    )
    from pg_temp.templates as p
    where p.reason is null;

    insert into events.series (
        id, organization_id, title, description, category, language, time_zone, recurrence, local_start_time,
        start_date, end_date, duration_minutes, capacity, price_cents, currency, location_id, instructor_id, status,
        status_reason,
        created_at
    )
    select
        p.id, p.organization_id, p.title, p.description, p.category, p.language, p.time_zone,
        coalesce(p.recurrence, 'RRULE:FREQ=DAILY;COUNT=1'),
        coalesce(p.start_time, (f.starts_at at time zone p.time_zone)::time, time '00:00'),
        coalesce(p.start_date, (f.starts_at at time zone p.time_zone)::date, (p.created_at at time zone p.time_zone)::date),
        greatest(
            p.end_date, case
                when p.end_date is not null
                then coalesce(p.start_date, (f.starts_at at time zone p.time_zone)::date, (p.created_at at time zone p.time_zone)::date)
            end
        ),
        p.duration_minutes, p.capacity, p.price_cents, p.currency,
        (
            select l.id
            from organizations.locations as l
            where l.organization_id = p.organization_id and l.name = p.location_name
            order by l.id
            limit 1
        ),
        (
            select i.id
            from organizations.instructors as i
            where i.organization_id = p.organization_id and i.name = p.instructor_name
            order by i.id
            limit 1
        ),
        case when p.is_active and p.recurrence is not null then 'active' else 'paused' end::events.series_status,
        case
            when not p.is_active then 'It was not active when it was imported.'
            when p.recurrence is null then 'It was imported without a rule.'
        end,
        p.created_at
    from pg_temp.templates as p
    left join (
        select i.template_id, min(staging.parse_time(i.start_time)) as starts_at
        from staging.class_instances as i
        group by i.template_id
    ) as f on f.template_id = p.legacy_id
    where p.reason is null
    on conflict do nothing;
end;
$$;

comment on function staging.convert_templates() is 'Convert class templates to series, with their ids.';
