-- staging.parsed_instances: the rows of class_instances with typed values and their errors.
--
-- An instance inherits missing values from its template. Templates are converted before.

create or replace view staging.parsed_instances with (security_invoker = true) as
select
    i.line,
    i.id as legacy_id,
    c.id,
    o.id as organization_id,
    s.id as series_id,
    coalesce(i.name, s.title) as title,
    coalesce(i.description, s.description) as description,
    s.category,
    coalesce(s.language, o.language) as language,
    z.name as time_zone,
    c.starts_at,
    c.ends_at,
    case when i.capacity is null then s.capacity else staging.parse_integer(i.capacity, 0, 1000000) end as capacity,
    case when i.price is null then coalesce(s.price_cents, 0) else staging.parse_cents(i.price, u.decimal_places) end
        as price_cents,
    u.code as currency,
    i.instructor_name,
    i.location_name,
    coalesce(i.location_city, '–') as location_city,
    s.instructor_id as series_instructor_id,
    s.location_id as series_location_id,
    case
        when m.status = 'scheduled' and c.ends_at <= statement_timestamp() then 'completed'
        else m.status
    end as status,
    coalesce(staging.parse_time(i.created_at), statement_timestamp()) as created_at,
    x.event_id is not null as is_there,
    coalesce(i.problem, nullif(concat_ws(
        '; ',
        staging.import_problem(c.id is null, 'id', i.id, 'is no UUID'),
        staging.import_problem(
            c.id is not null and i.line > min(i.line) over (partition by c.id),
            'id', i.id, format('stands in line %s already', min(i.line) over (partition by c.id))
        ),
        staging.import_problem(x.organization_id <> o.id, 'id', i.id, 'is that of another organization''s event'),
        staging.import_problem(
            i.template_id is not null and s.id is null, 'template_id', i.template_id,
            case when r.line is null then 'is unknown' else format('was rejected (line %s)', r.line) end
        ),
        staging.import_problem(
            o.id is null and (i.organization_id is not null or i.template_id is null), 'organization_id',
            i.organization_id, 'is unknown'
        ),
        staging.import_problem(
            o.id <> s.organization_id, 'organization_id', i.organization_id, 'is not that of the template'
        ),
        staging.import_problem(
            coalesce(length(coalesce(i.name, s.title)), 0) not between 1 and 200, 'name', i.name,
            'has not 1 to 200 characters'
        ),
        staging.import_problem(not ops.is_line(i.name), 'name', null, 'has control or direction characters'),
        staging.import_problem(
            not ops.is_text(i.description), 'description', null, 'has control or direction characters'
        ),
        staging.import_problem(length(i.description) > 20000, 'description', null, 'has more than 20000 characters'),
        staging.import_problem(c.starts_at is null, 'start_time', i.start_time, 'is no time with an offset'),
        staging.import_problem(
            c.starts_at not between '1990-01-01 00:00:00+00' and '2100-01-01 00:00:00+00', 'start_time', i.start_time,
            'is not between 1990 and 2100'
        ),
        staging.import_problem(
            i.end_time is not null and staging.parse_time(i.end_time) is null, 'end_time', i.end_time,
            'is no time with an offset'
        ),
        staging.import_problem(
            i.end_time is null and s.id is null, 'end_time', null, 'is missing, and there is no template'
        ),
        staging.import_problem(c.ends_at <= c.starts_at, 'end_time', i.end_time, 'is not after start_time'),
        staging.import_problem(
            c.ends_at > c.starts_at + interval '744 hours', 'end_time', i.end_time, 'is more than 31 days later'
        ),
        staging.import_problem(o.id is not null and z.name is null, 'time_zone', i.time_zone, 'is unknown'),
        staging.import_problem(
            i.capacity is not null and staging.parse_integer(i.capacity, 0, 1000000) is null, 'capacity', i.capacity,
            'is no number from 0 to 1000000'
        ),
        staging.import_problem(o.id is not null and u.code is null, 'currency', i.currency, 'is unknown'),
        staging.import_problem(
            i.price is not null and u.code is not null and staging.parse_cents(i.price, u.decimal_places) is null,
            'price', i.price, 'is no amount'
        ),
        staging.import_problem(m.status is null, 'status', i.status, 'is unknown'),
        staging.import_problem(length(i.instructor_name) > 200, 'instructor_name', i.instructor_name, 'is too long'),
        staging.import_problem(length(i.location_name) > 200, 'location_name', i.location_name, 'is too long'),
        staging.import_problem(
            not ops.is_line(i.instructor_name), 'instructor_name', null, 'has control or direction characters'
        ),
        staging.import_problem(
            not ops.is_line(i.location_name), 'location_name', null, 'has control or direction characters'
        ),
        staging.import_problem(
            not ops.is_line(i.location_city), 'location_city', null, 'has control or direction characters'
        ),
        staging.import_problem(
            i.created_at is not null and staging.parse_time(i.created_at) is null, 'created_at', i.created_at,
            'is no time with an offset'
        )
    ), '')) as reason
from staging.class_instances as i
left join events.series as s
    on s.id = case when pg_input_is_valid(i.template_id, 'uuid') then i.template_id::uuid end
left join lateral (
    select min(g.line) as line
    from staging.outcomes as g
    where
        g.file = 'class_templates' and g.legacy_id = i.template_id and g.outcome = 'rejected' and s.id is null
) as r on true
left join organizations.organizations as o
    on o.id = s.organization_id and i.organization_id is null or i.organization_id in (o.id::text, o.slug)
left join ref.currencies as u on u.code = upper(coalesce(i.currency, s.currency, o.currency))
left join ref.timezones as z on z.name = coalesce(i.time_zone, s.time_zone, o.time_zone)
left join (
    values
    ('scheduled', 'scheduled'), ('active', 'scheduled'), ('confirmed', 'scheduled'),
    ('cancelled', 'cancelled'), ('canceled', 'cancelled'), ('completed', 'completed'), ('draft', 'draft')
) as m (said, status) on m.said = lower(coalesce(i.status, 'scheduled'))
cross join lateral (
    select
        case when pg_input_is_valid(i.id, 'uuid') then i.id::uuid end as id,
        staging.parse_time(i.start_time) as starts_at,
        case
            when i.end_time is null then staging.parse_time(i.start_time) + make_interval(mins => s.duration_minutes)
            else staging.parse_time(i.end_time)
        end as ends_at
) as c
left join events.terms as x on x.event_id = c.id;

comment on view staging.parsed_instances is 'Rows of class_instances with typed values and their errors.';
