-- ops.apply_retention: apply one rule of ops.retention to rows that are older than its period.
--
-- Deletes rows, or empties or replaces one column of them. Covers at most `most` rows. Locked rows are skipped until
-- the next run, so it never waits. The conditions are taken from the table, which only its owner can write. Internal.
-- Returns the number of rows.

create or replace function ops.apply_retention(rule ops.retention, at timestamptz, most integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    the_value text := case when (rule).at_end = 'replace' then (rule).replacement else 'null' end;
    ended integer;
begin
    execute
        format(
            'with old as materialized ('
            '    select r.tableoid, r.ctid from %s as r where (%s)%s limit $2 for update skip locked'
            ') ',
            (rule).table_name, (rule).is_old,
            case
                when (rule).at_end = 'delete' then ''
                when (rule).at_end = 'null' then format(' and r.%I is not null', (rule).column_name)
                else format(' and r.%I is distinct from (%s)', (rule).column_name, the_value)
            end
        )
        || case
            when (rule).at_end = 'delete'
            then format(
                'delete from %s as r using old as o where r.tableoid = o.tableoid and r.ctid = o.ctid',
                (rule).table_name
            )
            else format(
                'update %s as r set %I = %s from old as o where r.tableoid = o.tableoid and r.ctid = o.ctid',
                (rule).table_name, (rule).column_name, the_value
            )
        end
    using apply_retention.at - (rule).period, apply_retention.most;
    get diagnostics ended = row_count;
    return ended;
end;
$$;

comment on function ops.apply_retention(ops.retention, timestamptz, integer) is
'Apply one rule of ops.retention to rows that are older than its period; returns the number of rows.';
