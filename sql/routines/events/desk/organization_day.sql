-- events.organization_day: return a day of an organization for its desk: events, rooms, instructors, unpaid bookings.
--
-- For front desk, instructors, accountants, editors, admins and owners. The day is today in the organization's zone
-- unless it is named; events count by their start. Each event has the numbers of expected, present, absent and waiting
-- customers, and of unpaid bookings; the roster has their names. `unpaid` lists the day's unpaid bookings with the
-- names of their customers, at most 200, and is recorded in the access log; instructors do not see it. At most 500
-- events.
--
-- Refuses: 403 forbidden, 404 organization_not_found.

create or replace function events.organization_day(
    organization_id uuid, day date default null, location_id uuid default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_custom_plan'
as $$
declare
    the_organization organizations.organizations := events.require_organization(
        organization_day.organization_id, 'instructor', 'front_desk', 'accountant', 'editor', 'admin', 'owner'
    );
    sees_customers boolean := organizations.caller_is(
        the_organization.id, 'front_desk', 'accountant', 'editor', 'admin', 'owner'
    );
    the_day date := coalesce(
        organization_day.day, (statement_timestamp() at time zone the_organization.time_zone)::date
    );
    the_begin timestamptz := ops.local_instant(the_day, the_organization.time_zone);
    the_end timestamptz := ops.local_instant(the_day + 1, the_organization.time_zone);
    the_events jsonb;
    the_unpaid jsonb;
begin
    with day as materialized (
        select e.*
        from events.events as e
        where
            e.organization_id = the_organization.id
            and e.starts_at >= the_begin
            and e.starts_at < the_end
            and (organization_day.location_id is null or e.location_id = organization_day.location_id)
        order by e.starts_at, e.id
        limit 500
    )

    select coalesce(jsonb_agg(
        jsonb_build_object(
            'id', e.id,
            'title', e.title,
            'starts_at', e.starts_at,
            'ends_at', e.ends_at,
            'time_zone', e.time_zone,
            'status', e.status,
            'visibility', e.visibility,
            'location_id', e.location_id,
            'location_name', l.name,
            'instructor_id', e.instructor_id,
            'instructor_name', p.name,
            'absent_instructor_id', s.absent_instructor_id,
            'absent_instructor_name', a.name,
            'substitution_note', s.note,
            'capacity', i.capacity,
            'taken', i.taken,
            'held', i.held,
            'expected', b.expected,
            'present', b.present,
            'absent', b.absent,
            'waiting', i.waitlisted,
            'unpaid', b.unpaid
        )
        order by e.starts_at, e.id
    ), '[]') into the_events
    from day as e
    inner join events.inventory as i on i.event_id = e.id
    left join organizations.locations as l on l.id = e.location_id
    left join organizations.instructors as p on p.id = e.instructor_id
    left join events.substitutions as s on s.event_id = e.id and s.instructor_id = e.instructor_id
    left join organizations.instructors as a on a.id = s.absent_instructor_id
    cross join lateral (
        select
            count(*) filter (where b.status = 'confirmed') as expected,
            count(*) filter (where b.status = 'attended') as present,
            count(*) filter (where b.status = 'no_show') as absent,
            count(*) filter (where events.is_unpaid(b)) as unpaid
        from events.bookings as b
        where b.event_id = e.id and b.status not in ('cancelled', 'refunded', 'expired')
    ) as b;

    if sees_customers then
        with unpaid as materialized (
            select
                b.id, b.event_id, b.customer_id, p.name, b.seats, b.status, b.payment_method, b.price_cents,
                b.fee_cents, b.currency
            from jsonb_to_recordset(the_events) as e (id uuid, unpaid integer)
            inner join events.bookings as b on b.event_id = e.id
            inner join users.profiles as p on p.id = b.customer_id
            where e.unpaid > 0 and b.status not in ('cancelled', 'refunded', 'expired') and events.is_unpaid(b)
            order by b.event_id, b.id
            limit 200
        )

        select jsonb_agg(to_jsonb(u) order by u.event_id, u.id) into the_unpaid
        from unpaid as u;

        perform ops.add_accesses(
            operation => 'organization_day',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_organization.id, 'person', u.customer_id, 'rows', 1
                ))
                from jsonb_to_recordset(the_unpaid) as u (customer_id uuid)
            )
        );
    end if;

    return jsonb_build_object(
        'organization_id', the_organization.id,
        'day', the_day,
        'time_zone', the_organization.time_zone,
        'events', the_events,
        'unpaid', coalesce(the_unpaid, '[]')
    );
end;
$$;

comment on function events.organization_day(uuid, date, uuid) is
'Return a day of an organization for its desk: events, rooms, instructors and unpaid bookings.';

grant execute on function events.organization_day(uuid, date, uuid) to authenticated, service_role;
