-- ops.limit_value: return a limit's value; null if the limit has no row, and then comparisons with it refuse nothing.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function ops.limit_value(name text)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select l.value from ops.limits as l where l.name = limit_value.name);
end;
$$;

comment on function ops.limit_value(text) is 'Return a limit''s value; null: there is no limit.';
