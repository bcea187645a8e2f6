-- events.instructor_schedule_v2: return the events that an instructor leads between two days, both included.
--
-- Days are in the organization's zone. For the instructor, while they are a member of the organization, and for its
-- staff. Returns one page of up to `most` events, ordered by start and id, after the given ones. The totals cover all
-- events of the days, whatever the page.
--
-- Refuses: 403 forbidden, 404 instructor_not_found, 422 invalid_request for more than 92 days or an end before the
-- start.

create or replace function events.instructor_schedule_v2(
    instructor_id uuid,
    first_day date default null,
    last_day date default null,
    after_starts_at timestamptz default null,
    after_id uuid default null,
    most integer default 500
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_instructor organizations.instructors;
    the_zone text;
    first_at timestamptz;
    end_at timestamptz;
begin
    select p.* into the_instructor
    from organizations.instructors as p
    where p.id = instructor_schedule_v2.instructor_id;

    if not found then
        raise exception using errcode = 'PT404', message = 'instructor_not_found';
    end if;

    if
        (
            the_instructor.user_id = ops.caller_id()
            and the_instructor.organization_id in (select public.user_orgs())
        ) is not true
        and not organizations.caller_is(
            the_instructor.organization_id, 'front_desk', 'viewer', 'editor', 'admin', 'owner'
        )
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only the instructor and staff of the organization may see a schedule.'
            )::text;
    end if;

    select o.time_zone into the_zone
    from organizations.organizations as o
    where o.id = the_instructor.organization_id;

    first_day := coalesce(
        instructor_schedule_v2.first_day,
        least(instructor_schedule_v2.last_day, (statement_timestamp() at time zone the_zone)::date)
    );
    last_day := coalesce(instructor_schedule_v2.last_day, least(first_day + 27, date '9999-12-31'));
    if last_day < first_day or last_day - first_day > 91 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A schedule covers 1 to 92 days. Choose `from` and `to` within this limit.'
            )::text;
    end if;

    first_at := first_day::timestamp at time zone the_zone;
    end_at := (last_day + 1)::timestamp at time zone the_zone;

    return (
        with led as materialized (
            select v.*
            from public.instructor_schedule_mv as v
            where
                v.organization_id = the_instructor.organization_id
                and v.instructor_id = the_instructor.id
                and v.starts_at >= first_at
                and v.starts_at < end_at
        ),

        page as (
            select l.*
            from led as l
            where
                instructor_schedule_v2.after_starts_at is null
                or (l.starts_at, l.event_id)
                > (instructor_schedule_v2.after_starts_at, instructor_schedule_v2.after_id)
            order by l.starts_at, l.event_id
            limit instructor_schedule_v2.most
        )

        select jsonb_build_object(
            'instructor_id', the_instructor.id,
            'name', the_instructor.name,
            'organization_id', the_instructor.organization_id,
            'time_zone', the_zone,
            'from', first_day,
            'to', last_day,
            'events', (
                select coalesce(
                    jsonb_agg(
                        to_jsonb(p) - 'instructor_id' - 'instructor_name' - 'organization_id'
                        order by p.starts_at, p.event_id
                    ),
                    '[]'
                )
                from page as p
            ),
            'totals', jsonb_build_object(
                'events', count(*) filter (where l.status <> 'cancelled'),
                'minutes', coalesce(sum(extract(epoch from l.ends_at - l.starts_at)::integer / 60) filter (
                    where l.status <> 'cancelled'
                ), 0),
                'seats_taken', coalesce(sum(l.seats_taken) filter (where l.status <> 'cancelled'), 0),
                'attended', coalesce(sum(l.attended), 0)
            )
        )
        from led as l
    );
end;
$$;

comment on function events.instructor_schedule_v2(uuid, date, date, timestamptz, uuid, integer) is
'Return the events that an instructor leads between two days, for the instructor and staff.';

grant execute on function events.instructor_schedule_v2(uuid, date, date, timestamptz, uuid, integer)
to authenticated, service_role;
