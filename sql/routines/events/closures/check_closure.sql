-- events.check_closure: refuse times that no closure can have.
--
-- A closure ends in the future, starts within five years from now, and lasts at most 400 days. Internal.
--
-- Refuses: 422 invalid_request, with the place.

create or replace function events.check_closure(closure events.closures)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    the_closure events.closures := check_closure.closure;
    wrong text[] := case
        when the_closure.ends_at <= the_closure.starts_at
        then array['until', 'A closure must end after its start.']
        when the_closure.ends_at <= statement_timestamp()
        then array['until', 'A closure must end in the future.']
        when the_closure.starts_at > statement_timestamp() + interval '5 years'
        then array['from', 'A closure must start within five years from now.']
        when the_closure.ends_at > the_closure.starts_at + interval '400 days'
        then array['until', 'A closure may last at most 400 days.']
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

comment on function events.check_closure(events.closures) is 'Refuse times that no closure can have.';
