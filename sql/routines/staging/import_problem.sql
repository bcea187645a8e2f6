-- staging.import_problem: return the fault of a value as `name "value" what`, or null if it is valid or missing.

create or replace function staging.import_problem(is_wrong boolean, name text, text_value text, what text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when is_wrong then concat_ws(' ', name, '"' || left(text_value, 80) || '"', what)
    end;
$$;

comment on function staging.import_problem(boolean, text, text, text) is
'Return the fault of an imported value in words, or null.';
