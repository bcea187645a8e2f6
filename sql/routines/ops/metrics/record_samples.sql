-- ops.record_samples: record durations and failures of requests, with any caller's rights.
--
-- Takes the same array as ops.record_metrics. Functions that serve the public hold no login of the service, so every
-- caller may write samples, and nothing else. Allowed are two names, at most 200 samples at once, of the last ten
-- minutes. Returns the number of samples. Not idempotent: samples sent twice count twice.
--
-- Refuses: 422 invalid_request.

create or replace function ops.record_samples(metrics jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        jsonb_typeof(record_samples.metrics) is distinct from 'array'
        or jsonb_array_length(record_samples.metrics) > 200
        or exists (
            select
            from jsonb_to_recordset(record_samples.metrics) as m (
                recorded_at timestamptz, name text, value double precision, unit text, tags jsonb
            )
            where
                (
                    (m.name, m.unit) in (
                        ('request_errors', 'requests'), ('booking_operation_duration', 'milliseconds')
                    )
                    and m.value between 0 and 900000
                    and coalesce(m.recorded_at, statement_timestamp())
                    between statement_timestamp() - interval '10 minutes' and statement_timestamp() + interval '1 minute'
                    and coalesce(length(m.tags::text), 0) <= 100
                ) is not true
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

    return ops.record_metrics(record_samples.metrics);
end;
$$;

comment on function ops.record_samples(jsonb) is
'Record durations and failures of requests, with any caller''s rights; returns the number of samples.';

grant execute on function ops.record_samples(jsonb) to app_read;
