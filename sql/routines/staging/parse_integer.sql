-- staging.parse_integer: return a text as a whole number between two bounds, or null if it is invalid.

create or replace function staging.parse_integer(text_value text, least_value integer, most_value integer)
returns integer
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when text_value ~ '^\d{1,9}$' and text_value::integer between least_value and most_value
        then text_value::integer
    end;
$$;

comment on function staging.parse_integer(text, integer, integer) is
'Return a text as a whole number between two bounds, or null if it is invalid.';
