-- events.edit_series: edit a series and all its upcoming events, and report which bookings this cancelled.
--
-- `changes` has columns of events.series by name. A missing member keeps its value. For a changed rule, `occurrences`
-- has the new occurrences from the series' local today up to `until`, and `slots` the existing events of these days
-- (events.reschedule_occurrences). Events that have started never change. Locks the series, then the closures (shared)
-- and the inventories of its upcoming events in id order.
--
-- `confirmed` is the consent to cancel bookings and waitlist entries: true, or the largest numbers to accept. The
-- numbers are counted under the locks, so that they are those of the commit. Returns the series as JSON, with the
-- numbers in `cancelled`.
--
-- The parts of a split series do not overlap: new dates end where another part starts, unless that one is archived. The
-- edits of dates of all parts take turns. Customers get one message for each changed event, instructors one in all.
--
-- Refuses: 404 series_not_found, 403 forbidden, 409 capacity_below_sold, 409 double_booked, 409 place_closed,
-- 409 series_archived, 409 would_cancel, 422 invalid_request.

create or replace function events.edit_series(
    series_id uuid,
    changes jsonb,
    occurrences jsonb default null,
    until date default null,
    confirmed jsonb default null,
    slots jsonb default null
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
    first_id uuid;
    coming uuid[];
    starts timestamptz[];
    ends timestamptz[];
    places uuid[];
    instructors uuid[];
    neighbour events.series;
begin
    perform events.check_references(the_series.organization_id, changes);
    edited := jsonb_populate_record(the_series, events.complete_places(to_jsonb(the_series), changes));
    if
        edited.start_date < the_series.start_date
        or coalesce(edited.end_date, 'infinity') > coalesce(the_series.end_date, 'infinity')
    then
        with recursive earlier as (
            select the_series.id, the_series.continues_series_id
            union all
            select s.id, s.continues_series_id
            from earlier as e
            inner join events.series as s on s.id = e.continues_series_id
        )
        select e.id into first_id from earlier as e where e.continues_series_id is null;

        -- After the row of the series, so that the edits of two parts do not wait for each other.
        perform pg_advisory_xact_lock(hashtextextended('events.edit_series ' || first_id, 0));
        with recursive parts as (
            select s.* from events.series as s where s.id = first_id
            union all
            select s.*
            from parts as p
            inner join events.series as s on s.continues_series_id = p.id
        )
        select p.* into neighbour
        from parts as p
        where
            p.id <> the_series.id
            and p.status <> 'archived'
            and daterange(p.start_date, p.end_date, '[]') && daterange(edited.start_date, edited.end_date, '[]')
            and not daterange(p.start_date, p.end_date, '[]')
            && daterange(the_series.start_date, the_series.end_date, '[]')
        order by p.start_date
        limit 1;

        if neighbour.id is not null then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object(
                    'detail', format(
                        'Another part of this series has the dates from %s to %s. Choose dates outside them.',
                        neighbour.start_date, coalesce(neighbour.end_date::text, 'no end')
                    )
                )::text;
        end if;
    end if;

    perform events.lock_closures(array[the_series.organization_id]);
    concerned := events.lock_commitments(
        array(
            select e.id
            from events.events as e
            where
                e.series_id = the_series.id
                and e.starts_at > statement_timestamp()
                and e.status in ('draft', 'scheduled')
        )
    );
    -- The caller's role may have changed while this waited for the events.
    the_series := events.lock_series_for_edit(the_series.id);
    select
        array_agg(e.id order by e.id), array_agg(e.starts_at order by e.id), array_agg(e.ends_at order by e.id),
        array_agg(e.location_id order by e.id), array_agg(e.instructor_id order by e.id)
    into coming, starts, ends, places, instructors
    from events.events as e
    inner join events.terms as t on t.event_id = e.id and t.starts_at = e.starts_at
    where t.event_id = any (concerned.event_ids);

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
        room_id = edited.room_id,
        instructor_id = edited.instructor_id,
        resource_ids = edited.resource_ids,
        policy_id = edited.policy_id,
        visibility = edited.visibility,
        updated_at = statement_timestamp()
    where s.id = the_series.id;

    if edit_series.occurrences is not null then
        perform events.reschedule_occurrences(
            the_series.id, edit_series.occurrences, edit_series.until, edit_series.slots
        );
    end if;
    perform events.copy_details(the_series.id, changes);
    perform events.notify_series_change(coming, starts, ends, places, instructors);

    cancelled := events.cancelled_commitments(concerned);
    perform events.require_confirmation(cancelled, edit_series.confirmed);
    select s.* into the_series from events.series as s where s.id = the_series.id;
    return to_jsonb(the_series) || jsonb_build_object('cancelled', cancelled);
end;
$$;

comment on function events.edit_series(uuid, jsonb, jsonb, date, jsonb, jsonb) is
'Edit a series and all its upcoming events. Cancels bookings only with confirmation.';

grant execute on function events.edit_series(uuid, jsonb, jsonb, date, jsonb, jsonb) to authenticated, service_role;
