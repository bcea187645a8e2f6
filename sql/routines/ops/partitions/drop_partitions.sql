-- ops.drop_partitions: detach and drop the partitions of a table that end at or before a time.
--
-- The server refuses to detach a partition that rows elsewhere still reference; such a partition is kept and reported.
-- Returns {"dropped": […], "kept": […]}.

create or replace function ops.drop_partitions(parent regclass, ended_by timestamptz)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    old record;
    dropped text[] := '{}';
    kept text[] := '{}';
begin
    for old in
        select b.partition
        from ops.partition_bounds(drop_partitions.parent) as b
        where b.ends_at <= drop_partitions.ended_by
    loop
        begin
            execute format('alter table %s detach partition %s', drop_partitions.parent, old.partition);
            dropped := dropped || old.partition::text;
            execute format('drop table %s', old.partition);
        exception
            when foreign_key_violation then
                kept := kept || old.partition::text;
        end;
    end loop;
    return jsonb_build_object('dropped', dropped, 'kept', kept);
end;
$$;

comment on function ops.drop_partitions(regclass, timestamptz) is
'Detach and drop the partitions that ended by a time; those still referenced are kept.';
