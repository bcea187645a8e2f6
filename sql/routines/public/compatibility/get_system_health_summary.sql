-- public.get_system_health_summary: ops.get_system_health_summary under the name that the earlier system had.

create or replace function public.get_system_health_summary()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select ops.get_system_health_summary();
$$;

comment on function public.get_system_health_summary() is 'See ops.get_system_health_summary.';

grant execute on function public.get_system_health_summary() to service_role;
