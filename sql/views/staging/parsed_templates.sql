-- staging.parsed_templates: the rows of class_templates with typed values and their errors.

create or replace view staging.parsed_templates with (security_invoker = true) as
select
    t.line,
    t.id as legacy_id,
    c.id,
    o.id as organization_id,
    t.name as title,
    t.description,
    k.slug as category,
    o.language,
    z.name as time_zone,
    t.recurrence_rule as recurrence,
    c.start_date,
    c.end_date,
    c.start_time,
    staging.parse_integer(t.duration_minutes, 10, 600) as duration_minutes,
    staging.parse_integer(t.capacity, 0, 1000000) as capacity,
    staging.parse_cents(coalesce(t.price, '0'), u.decimal_places) as price_cents,
    u.code as currency,
    t.instructor_name,
    t.location_name,
    coalesce(t.location_city, '–') as location_city,
    coalesce(c.is_active, true) as is_active,
    coalesce(staging.parse_time(t.created_at), statement_timestamp()) as created_at,
    s.id is not null as is_there,
    coalesce(t.problem, nullif(concat_ws(
        '; ',
        staging.import_problem(c.id is null, 'id', t.id, 'is no UUID'),
        staging.import_problem(
            c.id is not null and t.line > min(t.line) over (partition by c.id),
            'id', t.id, format('stands in line %s already', min(t.line) over (partition by c.id))
        ),
        staging.import_problem(s.organization_id <> o.id, 'id', t.id, 'is that of another organization''s series'),
        staging.import_problem(o.id is null, 'organization_id', t.organization_id, 'is unknown'),
        staging.import_problem(
            coalesce(length(t.name), 0) not between 1 and 200, 'name', t.name, 'has not 1 to 200 characters'
        ),
        staging.import_problem(not ops.is_line(t.name), 'name', null, 'has control or direction characters'),
        staging.import_problem(
            not ops.is_text(t.description), 'description', null, 'has control or direction characters'
        ),
        staging.import_problem(length(t.description) > 20000, 'description', null, 'has more than 20000 characters'),
        staging.import_problem(o.id is not null and z.name is null, 'time_zone', t.time_zone, 'is unknown'),
        staging.import_problem(
            staging.parse_integer(t.duration_minutes, 10, 600) is null, 'duration_minutes', t.duration_minutes,
            'is no number from 10 to 600'
        ),
        staging.import_problem(
            t.capacity is not null and staging.parse_integer(t.capacity, 0, 1000000) is null, 'capacity', t.capacity,
            'is no number from 0 to 1000000'
        ),
        staging.import_problem(o.id is not null and u.code is null, 'currency', t.currency, 'is unknown'),
        staging.import_problem(
            u.code is not null and staging.parse_cents(coalesce(t.price, '0'), u.decimal_places) is null,
            'price', t.price,
            'is no amount'
        ),
        staging.import_problem(
            t.start_date is not null and c.start_date is null, 'start_date', t.start_date, 'is no date'
        ),
        staging.import_problem(c.start_date > '2199-12-31', 'start_date', t.start_date, 'is after 2199'),
        staging.import_problem(t.end_date is not null and c.end_date is null, 'end_date', t.end_date, 'is no date'),
        staging.import_problem(c.end_date < c.start_date, 'end_date', t.end_date, 'is before start_date'),
        staging.import_problem(
            t.start_time is not null and c.start_time is null, 'start_time', t.start_time, 'is no time of day'
        ),
        staging.import_problem(
            t.is_active is not null and c.is_active is null, 'is_active', t.is_active, 'is not true or false'
        ),
        staging.import_problem(length(t.instructor_name) > 200, 'instructor_name', t.instructor_name, 'is too long'),
        staging.import_problem(length(t.location_name) > 200, 'location_name', t.location_name, 'is too long'),
        staging.import_problem(
            not ops.is_line(t.instructor_name), 'instructor_name', null, 'has control or direction characters'
        ),
        staging.import_problem(
            not ops.is_line(t.location_name), 'location_name', null, 'has control or direction characters'
        ),
        staging.import_problem(
            not ops.is_line(t.location_city), 'location_city', null, 'has control or direction characters'
        ),
        staging.import_problem(
            t.created_at is not null and staging.parse_time(t.created_at) is null, 'created_at', t.created_at,
            'is no time with an offset'
        )
    ), '')) as reason
from staging.class_templates as t
cross join lateral (
    select
        case when pg_input_is_valid(t.id, 'uuid') then t.id::uuid end as id,
        case
            when t.start_date ~ '^\d{4}-\d\d-\d\d$' and pg_input_is_valid(t.start_date, 'date')
            then t.start_date::date
        end as start_date,
        case
            when t.end_date ~ '^\d{4}-\d\d-\d\d$' and pg_input_is_valid(t.end_date, 'date')
            then t.end_date::date
        end as end_date,
        case
            when t.start_time ~ '^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$' and pg_input_is_valid(t.start_time, 'time')
            then t.start_time::time
        end as start_time,
        case when pg_input_is_valid(t.is_active, 'boolean') then t.is_active::boolean end as is_active
) as c
left join organizations.organizations as o on t.organization_id in (o.id::text, o.slug)
left join ref.currencies as u on u.code = upper(coalesce(t.currency, o.currency))
left join ref.timezones as z on z.name = coalesce(t.time_zone, o.time_zone)
left join ref.event_categories as k on k.slug = lower(replace(t.category, ' ', '-'))
left join events.series as s on s.id = c.id;

comment on view staging.parsed_templates is 'Rows of class_templates with typed values and their errors.';
