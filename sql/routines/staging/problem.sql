-- staging.problem: what is wrong with a value, if it is: `name "value" what`; null when it is right or was not given.

create or replace function staging.problem(is_wrong boolean, name text, text_value text, what text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when is_wrong then concat_ws(' ', name, '"' || left(text_value, 80) || '"', what)
    end;
$$;

comment on function staging.problem(boolean, text, text, text) is 'What is wrong with a value, in words, or null.';
