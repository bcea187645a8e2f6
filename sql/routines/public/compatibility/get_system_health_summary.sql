-- public.get_system_health_summary: return the result of ops.get_system_health_summary, under the earlier system's
-- name.

create or replace function public.get_system_health_summary()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select ops.get_system_health_summary();
$$;

comment on function public.get_system_health_summary() is
'Return the result of ops.get_system_health_summary, under the earlier system''s name.';

grant execute on function public.get_system_health_summary() to service_role;
