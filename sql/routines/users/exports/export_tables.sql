-- users.export_tables: return the tables of a person's export in order, and the tables that it leaves out with reasons.
--
-- For the service.

create or replace function users.export_tables()
returns table (table_name text, reason text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.table_name, r.reason
    from ops.export_rules as r
    order by r.table_name;
$$;

comment on function users.export_tables() is
'Return the tables of a person''s export in order, and the tables that it leaves out with reasons.';

grant execute on function users.export_tables() to service_role;
