-- events.copy_details: copy changed details of a series to its upcoming events, except those edited individually.
--
-- `changes` has the changed columns. Called by events.edit_series, which holds the series' lock and notifies. Locks the
-- events' inventories in id order.
--
-- Refuses: 409 capacity_below_sold, 409 double_booked, 409 place_closed.

create or replace function events.copy_details(series_id uuid, changes jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series;
    coming uuid[];
    starts timestamptz[];
begin
    select s.* into the_series from events.series as s where s.id = copy_details.series_id;

    -- Lock before deciding which events follow the series: while this waits, an event may be edited individually, moved
    -- or cancelled.
    perform
    from events.inventory as i
    where
        i.event_id in (
            select e.id
            from events.events as e
            where e.series_id = the_series.id and e.starts_at > statement_timestamp() and not e.detached
        )
    order by i.event_id
    for no key update;

    select array_agg(e.id order by e.id), array_agg(e.starts_at order by e.id) into coming, starts
    from events.events as e
    where
        e.series_id = the_series.id
        and e.starts_at > statement_timestamp()
        and not e.detached
        and e.status in ('draft', 'scheduled');

    if
        changes ?| array[
            'title', 'description', 'category', 'language', 'price_cents', 'location_id', 'room_id', 'instructor_id',
            'resource_ids', 'policy_id', 'visibility'
        ]
    then
        update events.events as e
        set
            title = the_series.title,
            description = the_series.description,
            category = the_series.category,
            language = the_series.language,
            price_cents = the_series.price_cents,
            location_id = the_series.location_id,
            room_id = the_series.room_id,
            instructor_id = the_series.instructor_id,
            resource_ids = the_series.resource_ids,
            visibility = the_series.visibility,
            policy = case
                when changes ? 'policy_id' then events.policy_snapshot(the_series.policy_id) else e.policy
            end,
            updated_at = statement_timestamp()
        from unnest(coming, starts) as c (event_id, starts_at)
        where e.id = c.event_id and e.starts_at = c.starts_at;
    end if;

    if changes ? 'capacity' then
        perform events.set_capacities(coming, the_series.capacity);
    end if;
end;
$$;

comment on function events.copy_details(uuid, jsonb) is 'Copy changed details of a series to its upcoming events.';
