-- events.set_capacities: give several events the same capacity, and offer freed seats to their waitlists.
--
-- Null means no limit. Locks the events' inventories in id order, all before the first is changed: all change or none.
-- Waitlist entries for more seats than the event has leave with a message (events.offer_seats).
-- Called by routines that have checked the caller's permission.
--
-- Refuses: 409 capacity_below_sold, with the least possible capacity, and the first 20 events whose sold and held seats
-- exceed the capacity.

create or replace function events.set_capacities(event_ids uuid[], capacity integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    oversold jsonb;
    the_capacity_min integer;
    the_event_id uuid;
begin
    perform
    from events.inventory as i
    where i.event_id = any (set_capacities.event_ids)
    order by i.event_id
    for no key update;

    -- The window covers all events, also those beyond the first 20.
    select
        jsonb_agg(
            jsonb_build_object('event_id', o.event_id, 'starts_at', o.starts_at, 'taken', o.taken, 'held', o.held)
            order by o.starts_at, o.event_id
        ),
        max(o.capacity_min)
    into oversold, the_capacity_min
    from (
        select i.event_id, t.starts_at, i.taken, i.held, max(i.taken + i.held) over () as capacity_min
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where i.event_id = any (set_capacities.event_ids) and i.taken + i.held > set_capacities.capacity
        order by t.starts_at, i.event_id
        limit 20
    ) as o;

    if oversold is not null then
        raise exception using errcode = 'PT409', message = 'capacity_below_sold',
            detail = jsonb_build_object(
                'capacity', set_capacities.capacity,
                'capacity_min', the_capacity_min,
                'events', oversold
            )::text;
    end if;

    update events.inventory as i
    set
        capacity = set_capacities.capacity,
        -- Additional seats become free while people wait. Removed seats are first those on sale.
        set_aside = case
            when i.waitlisted > 0 and set_capacities.capacity is not null
            then least(
                i.set_aside + greatest(set_capacities.capacity - i.capacity, 0),
                set_capacities.capacity - i.taken - i.held
            )
            else 0
        end
    where i.event_id = any (set_capacities.event_ids) and i.capacity is distinct from set_capacities.capacity;

    for the_event_id in
        select i.event_id
        from events.inventory as i
        where i.event_id = any (set_capacities.event_ids) and i.waitlisted > 0
        order by i.event_id
    loop
        perform events.offer_seats(the_event_id);
    end loop;
end;
$$;

comment on function events.set_capacities(uuid[], integer) is
'Give events a capacity, never below their sold and held seats, and offer new seats to their waitlists.';
