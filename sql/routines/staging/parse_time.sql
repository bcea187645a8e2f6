-- staging.parse_time: return a text as a point in time, or null if it is invalid.
--
-- The text must have an offset and lie in the years 1 to 9999 of UTC. PostgreSQL could store other years, but Python
-- could not read them.

create or replace function staging.parse_time(text_value text)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when
            text_value ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)? ?([Zz]|[+-]\d\d(:?\d\d)?)$'
            and pg_input_is_valid(text_value, 'timestamptz')
        then case
            when text_value::timestamptz between '0001-01-01 00:00:00+00' and '9999-12-31 23:59:59.999999+00'
            then text_value::timestamptz
        end
    end;
$$;

comment on function staging.parse_time(text) is 'Return a text as a point in time, or null if it is invalid.';
