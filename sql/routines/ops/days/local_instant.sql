-- ops.local_instant: return the instant of a wall-clock time in a time zone.
--
-- A local time that a clock change skips takes the offset before the change: 02:30 becomes 03:30. Of a local time that
-- occurs twice, the first is meant (RFC 5545, 3.3.5); the server itself would choose the second.

create or replace function ops.local_instant(local_time timestamp, time_zone text)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case when f.at at time zone time_zone = local_time then least(f.at, s.at) else s.at end
    from (select local_time at time zone time_zone as at) as s
    cross join lateral (select s.at - interval '24 hours' as at) as b
    cross join lateral (
        select (local_time - ((b.at at time zone time_zone) - (b.at at time zone 'UTC'))) at time zone 'UTC' as at
    ) as f;
$$;

comment on function ops.local_instant(timestamp, text) is
'Return the instant of a wall-clock time in a time zone, the first of two.';

grant execute on function ops.local_instant(timestamp, text) to app_read;
