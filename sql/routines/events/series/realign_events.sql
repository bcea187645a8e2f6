-- events.realign_events: move coming events to their local start after the rules of a time zone have changed.
--
-- The class at 09:00 stays at 09:00. The local start is that of the occurrence, or of the event if it is single or was
-- edited alone (events.events.local_start). An event keeps its duration, and its booking opens by the new rules. An
-- event that has started, or would have, stays unchanged. Notifies customers and instructors of moved events.
--
-- Moves at most `most` events, by start. Locks their inventories in id order, then moves those that still differ.
-- Stores a missing local start, as the server computes it now. A double booking that a move causes is listed, not
-- refused (events.record_occupancies). For the service. Returns
-- {"moved", "more"}.

create or replace function events.realign_events(most integer default 500)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    filled integer;
    found_ids uuid[];
    moved uuid[];
    previous_starts timestamptz[];
begin
    update events.events as e
    set local_start = e.starts_at at time zone e.time_zone
    from (
        select f.id, f.starts_at
        from events.events as f
        where f.starts_at > statement_timestamp() and f.local_start is null
        limit realign_events.most
        for no key update
    ) as f
    where e.id = f.id and e.starts_at = f.starts_at;
    get diagnostics filled = row_count;

    found_ids := array(select d.event_id from events.misaligned_events(realign_events.most) as d);
    perform
    from events.inventory as i
    where i.event_id = any (found_ids)
    order by i.event_id
    for no key update;

    perform set_config('events.report_double_bookings', 'yes', true);
    with changed as (
        update events.events as e
        set
            starts_at = d.next_start,
            ends_at = d.next_start + (e.ends_at - e.starts_at),
            updated_at = statement_timestamp()
        from events.misaligned_events(realign_events.most) as d
        where d.event_id = any (found_ids) and e.id = d.event_id and e.starts_at = d.starts_at
        returning e.id, d.starts_at
    )
    select array_agg(c.id order by c.id), array_agg(c.starts_at order by c.id) into moved, previous_starts
    from changed as c;
    perform set_config('events.report_double_bookings', '', true);

    update events.terms as t
    set opens_at = ops.move_days(t.starts_at, -(t.policy ->> 'opens_days_before')::integer, e.time_zone)
    from events.events as e
    where
        t.starts_at > statement_timestamp()
        and t.policy ->> 'opens_days_before' is not null
        and e.id = t.event_id
        and e.starts_at = t.starts_at
        and t.opens_at <> ops.move_days(t.starts_at, -(t.policy ->> 'opens_days_before')::integer, e.time_zone);

    perform events.notify_event_change(moved, previous_starts, array['starts_at', 'ends_at']);
    return jsonb_build_object(
        'moved', coalesce(cardinality(moved), 0), 'more',
        greatest(filled, cardinality(found_ids)) = realign_events.most
    );
end;
$$;

comment on function events.realign_events(integer) is
'Move coming events to their local start after the rules of a time zone have changed.';

grant execute on function events.realign_events(integer) to service_role;
