-- events.check_times: refuse times that no event can have.
--
-- An event must start in the future, within five years from now, and last at most 31 days.
--
-- Refuses: 422 invalid_request, with the place.

create or replace function events.check_times(starts_at timestamptz, ends_at timestamptz)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    wrong text[] := case
        when check_times.starts_at <= statement_timestamp()
        then array['starts_at', 'An event must start in the future.']
        when check_times.starts_at > statement_timestamp() + interval '5 years'
        then array['starts_at', 'An event must start within five years from now.']
        when check_times.ends_at <= check_times.starts_at
        then array['ends_at', 'An event must end after its start.']
        when check_times.ends_at > check_times.starts_at + interval '31 days'
        then array['ends_at', 'An event may last at most 31 days.']
    end;
begin
    if wrong is not null then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', jsonb_build_array(
                    jsonb_build_object('path', array['body', wrong[1]], 'kind', 'range', 'message', wrong[2])
                )
            )::text;
    end if;
end;
$$;

comment on function events.check_times(timestamptz, timestamptz) is 'Refuse times that no event can have.';
