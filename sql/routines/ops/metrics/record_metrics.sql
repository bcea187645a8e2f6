-- ops.record_metrics: write a batch of measurements.
--
-- `metrics` is an array of {"name", "value", "unit", "tags"?, "recorded_at"?}. Returns the number of measurements. Not
-- idempotent: measurements sent twice count twice. For the service.

create or replace function ops.record_metrics(metrics jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    written integer;
begin
    insert into ops.performance_metrics (recorded_at, name, value, unit, tags)
    select coalesce(m.recorded_at, statement_timestamp()), m.name, m.value, m.unit, coalesce(m.tags, '{}')
    from jsonb_to_recordset(record_metrics.metrics) as m (
        recorded_at timestamptz, name text, value double precision, unit text, tags jsonb
    );

    get diagnostics written = row_count;
    return written;
end;
$$;

comment on function ops.record_metrics(jsonb) is 'Write a batch of measurements; returns the number.';

grant execute on function ops.record_metrics(jsonb) to service_role;
