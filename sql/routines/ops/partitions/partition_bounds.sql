-- ops.partition_bounds: return the partitions of a table with their bounds in time; the default partition has none.
--
-- pg_get_expr prints bounds in the session's time zone, so the routine pins it to UTC.

create or replace function ops.partition_bounds(parent regclass)
returns table (partition regclass, starts_at timestamptz, ends_at timestamptz)
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
    select
        c.oid::regclass,
        substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''([^'']+)''\)')::timestamptz,
        substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz
    from pg_catalog.pg_inherits as i
    inner join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where i.inhparent = partition_bounds.parent
    order by 2 nulls last;
$$;

comment on function ops.partition_bounds(regclass) is 'Return a table''s partitions and their bounds in time.';

grant execute on function ops.partition_bounds(regclass) to service_role;
