-- ops.partition_bounds: the partitions of a table by range of time, with what each holds; the default one has no
-- bounds.
--
-- Bounds are read in UTC, whatever the session's time zone: pg_get_expr writes them in the session's.

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

comment on function ops.partition_bounds(regclass) is 'A table''s partitions and their bounds in time.';

grant execute on function ops.partition_bounds(regclass) to service_role;
