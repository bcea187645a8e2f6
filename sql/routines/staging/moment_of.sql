-- staging.moment_of: a text as a point in time, or null when it is none. It must say its offset.

create or replace function staging.moment_of(text_value text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when
            text_value ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)? ?([Zz]|[+-]\d\d(:?\d\d)?)$'
            and pg_input_is_valid(text_value, 'timestamptz')
        then text_value::timestamptz
    end;
$$;

comment on function staging.moment_of(text) is 'A text as a point in time, or null.';
