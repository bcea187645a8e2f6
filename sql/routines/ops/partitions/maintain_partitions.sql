-- ops.maintain_partitions: create the missing partitions of every partitioned table, and drop the expired ones.
--
-- Follows ops.partition_policies. Creates the months from `months_behind` to `months_ahead`, and later months for which
-- rows are planned (ops.planned_months). Moves rows out of the default partition, and drops months past retention.
-- Months are in UTC. An advisory lock serializes runs; a second run finds nothing to do. A failure for one table is
-- reported and does not stop the others. Returns {"created": n, "moved": n, "dropped": […], "kept": […], "in_default":
-- n, "failed": [{"table", "error"}]}. For the service.

create or replace function ops.maintain_partitions(at timestamptz default statement_timestamp())
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    this_month date := date_trunc('month', maintain_partitions.at);
    the_policy ops.partition_policies;
    planned_month date;
    moved_here integer;
    dropped_here jsonb;
    created integer := 0;
    moved integer := 0;
    dropped jsonb := '[]';
    kept jsonb := '[]';
    failed jsonb := '[]';
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.maintain_partitions', 0));

    for the_policy in
        select p.* from ops.partition_policies as p order by p.table_name
    loop
        begin
            for months in -the_policy.months_behind..the_policy.months_ahead loop
                moved_here := ops.create_partition(
                    the_policy.table_name::regclass, (this_month + make_interval(months => months))::date
                );
                created := created + (moved_here is not null)::integer;
                moved := moved + coalesce(moved_here, 0);
            end loop;

            for planned_month in
                select m.month from ops.planned_months(the_policy.table_name::regclass, maintain_partitions.at) as m (month)
            loop
                moved_here := ops.create_partition(the_policy.table_name::regclass, planned_month);
                created := created + (moved_here is not null)::integer;
                moved := moved + coalesce(moved_here, 0);
            end loop;

            if the_policy.retention_months is not null then
                dropped_here := ops.drop_partitions(
                    the_policy.table_name::regclass,
                    this_month - make_interval(months => the_policy.retention_months)
                );
                dropped := dropped || (dropped_here -> 'dropped');
                kept := kept || (dropped_here -> 'kept');
            end if;
        exception
            when others then
                failed := failed || jsonb_build_object('table', the_policy.table_name, 'error', sqlerrm);
        end;
    end loop;

    return jsonb_build_object(
        'created', created,
        'moved', moved,
        'dropped', dropped,
        'kept', kept,
        'in_default', (select coalesce(sum(s.in_default), 0) from ops.partition_states(maintain_partitions.at) as s),
        'failed', failed
    );
end;
$$;

comment on function ops.maintain_partitions(timestamptz) is
'Create the partitions ahead of every partitioned table, empty its default partition, and drop expired months.';

grant execute on function ops.maintain_partitions(timestamptz) to service_role;
