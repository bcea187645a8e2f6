-- ops.partition_states: return each partitioned table's months ahead and rows in its default partition.
--
-- `months_ahead` counts whole months after the current one without a gap. `in_default` stops at a thousand. It does not
-- count rows of later months than are created ahead: the next ops.maintain_partitions creates their months.

create or replace function ops.partition_states(at timestamptz default statement_timestamp())
returns table (table_name text, months_ahead integer, months_wanted integer, in_default integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    the_policy ops.partition_policies;
    parent regclass;
    default_partition regclass;
    time_column name;
begin
    for the_policy in
        select p.* from ops.partition_policies as p order by p.table_name
    loop
        partition_states.table_name := the_policy.table_name;
        partition_states.months_wanted := the_policy.months_ahead;

        partition_states.in_default := 0;
        parent := to_regclass(the_policy.table_name);

        select min(m.number) - 1 into partition_states.months_ahead
        from generate_series(0, the_policy.months_ahead + 1) as m (number)
        where not exists (
            select
            from ops.partition_bounds(parent) as b
            where b.starts_at = date_trunc('month', partition_states.at) + make_interval(months => m.number)
        );

        select nullif(p.partdefid, 0)::regclass, a.attname
        into default_partition, time_column
        from pg_catalog.pg_partitioned_table as p
        inner join pg_catalog.pg_attribute as a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
        where p.partrelid = parent;

        if default_partition is not null then
            execute format(
                'select count(*) from ('
                '    select from %1$s as d where d.%2$I < $1 or d.%2$I >= $2 limit 1000'
                ') as r',
                default_partition, time_column
            )
            into partition_states.in_default
            using
                date_trunc('month', partition_states.at) + make_interval(months => the_policy.months_ahead + 1),
                partition_states.at + interval '6 years';
        end if;
        return next;
    end loop;
end;
$$;

comment on function ops.partition_states(timestamptz) is
'Return each partitioned table''s months ahead and rows in its default partition.';

grant execute on function ops.partition_states(timestamptz) to service_role;
