-- ops.zone_offsets: return the offsets from UTC of time zones at given instants, in seconds, by the server's rules.
--
-- The offsets have the order of `instants`. For the service.

create or replace function ops.zone_offsets(time_zones text[], instants timestamptz[])
returns table (time_zone text, offsets integer[])
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        z.name,
        array_agg(
            extract(epoch from (i.at at time zone z.name) - (i.at at time zone 'UTC'))::integer order by i.place
        )
    from unnest(zone_offsets.time_zones) as z (name)
    cross join unnest(zone_offsets.instants) with ordinality as i (at, place)
    group by z.name;
$$;

comment on function ops.zone_offsets(text[], timestamptz[]) is
'Return the offsets from UTC of time zones at given instants, in seconds.';

grant execute on function ops.zone_offsets(text[], timestamptz[]) to service_role;
