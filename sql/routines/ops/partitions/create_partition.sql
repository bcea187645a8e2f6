-- ops.create_partition: create a month's partition, and move its rows out of the default partition.
--
-- It is named <table>_YYYY_MM and covers the month in UTC. Row security is on and no role has rights to it, because
-- callers use the parent table.
--
-- Rows of the month in the default partition would prevent attaching the new one. They are shifted by a thousand years,
-- and shifted back after the attachment, all in this transaction. This uses updates so that foreign keys to the rows
-- follow, and triggers skip them (ops.is_partition_shift). Returns the number of rows moved, or null when the partition
-- exists.

create or replace function ops.create_partition(parent regclass, month date)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    aside constant interval := interval '8766000 hours';
    starts_at timestamptz := date_trunc('month', create_partition.month::timestamptz);
    ends_at timestamptz := starts_at + interval '1 month';
    parent_schema name;
    parent_name name;
    time_column name;
    partition_name text;
    moved integer;
    returned integer;
begin
    select n.nspname, c.relname, a.attname
    into parent_schema, parent_name, time_column
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    inner join pg_catalog.pg_partitioned_table as p on p.partrelid = c.oid
    inner join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
    where c.oid = create_partition.parent;

    partition_name := format('%I.%I', parent_schema, parent_name || to_char(starts_at, '_YYYY_MM'));
    if to_regclass(partition_name) is not null then
        return null;
    end if;

    execute format('create table %s (like %s including all)', partition_name, create_partition.parent);
    execute format('alter table %s enable row level security', partition_name);
    execute format('revoke all on %s from public, app_read, app_write, service_role', partition_name);

    execute format(
        'update %1$s as r set %2$I = r.%2$I - $1 where r.%2$I >= $2 and r.%2$I < $3',
        create_partition.parent, time_column
    ) using aside, starts_at, ends_at;
    get diagnostics moved = row_count;

    execute format(
        'alter table %s attach partition %s for values from (%L) to (%L)',
        create_partition.parent, partition_name, starts_at, ends_at
    );

    if moved > 0 then
        execute format(
            'update %1$s as r set %2$I = r.%2$I + $1 where r.%2$I >= $2 - $1 and r.%2$I < $3 - $1',
            create_partition.parent, time_column
        ) using aside, starts_at, ends_at;
        get diagnostics returned = row_count;

        if returned <> moved then
            raise exception 'moved % rows aside, but only % rows back', moved, returned;
        end if;
    end if;
    return moved;
end;
$$;

comment on function ops.create_partition(regclass, date) is
'Create a month''s partition; returns the number of rows moved out of the default one, or null when it exists.';
