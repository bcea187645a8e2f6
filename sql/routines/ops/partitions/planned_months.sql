-- ops.planned_months: return the coming months of the rows in a table's default partition, which need partitions.
--
-- An event may start five years from now, which is later than the months that exist. Months are in UTC. Rows later than
-- six years from now are no plans but faults, and stay. Empty without a default partition. Internal.

create or replace function ops.planned_months(parent regclass, at timestamptz)
returns setof date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    default_partition regclass;
    time_column name;
begin
    select nullif(p.partdefid, 0)::regclass, a.attname
    into default_partition, time_column
    from pg_catalog.pg_partitioned_table as p
    inner join pg_catalog.pg_attribute as a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
    where p.partrelid = planned_months.parent;

    if default_partition is not null then
        return query execute format(
            'select distinct date_trunc(''month'', r.%1$I)::date from %2$s as r '
            'where r.%1$I >= date_trunc(''month'', $1) and r.%1$I < $1 + interval ''6 years'' order by 1',
            time_column, default_partition
        ) using planned_months.at;
    end if;
end;
$$;

comment on function ops.planned_months(regclass, timestamptz) is
'Return the coming months of the rows in a table''s default partition.';
