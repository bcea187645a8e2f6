-- ops.verify_counters: compare the counters of all events with their rows, one page at a time.
--
-- Records the number of differing events as the metric booking_counters_drifted. Returns {"checked", "drifted": [event
-- ids], "last"}. Pass `last` as `after` to the next call, until it is null. For the service.

create or replace function ops.verify_counters(after uuid default null, most integer default 1000)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    event_ids uuid[] := array(
        select i.event_id
        from events.inventory as i
        where verify_counters.after is null or i.event_id > verify_counters.after
        order by i.event_id
        limit verify_counters.most
    );
    drifted uuid[] := array(select d.event_id from ops.count_drift(event_ids) as d order by d.event_id);
begin
    if cardinality(drifted) > 0 then
        perform ops.record_metrics(jsonb_build_array(jsonb_build_object(
            'name', 'booking_counters_drifted', 'value', cardinality(drifted), 'unit', 'events',
            'tags', jsonb_build_object('events', drifted[1:10])
        )));
    end if;

    return jsonb_build_object(
        'checked', cardinality(event_ids),
        'drifted', drifted,
        'last', case when cardinality(event_ids) = verify_counters.most then event_ids[cardinality(event_ids)] end
    );
end;
$$;

comment on function ops.verify_counters(uuid, integer) is
'Compare the counters of a page of events with their rows; returns the differing events and the place to continue.';

grant execute on function ops.verify_counters(uuid, integer) to service_role;
