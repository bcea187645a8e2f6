-- public.get_booking_performance_summary: return the result of ops.get_booking_performance_summary, under the earlier
-- system's name.

create or replace function public.get_booking_performance_summary()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select ops.get_booking_performance_summary();
$$;

comment on function public.get_booking_performance_summary() is
'Return the result of ops.get_booking_performance_summary, under the earlier system''s name.';

grant execute on function public.get_booking_performance_summary() to service_role;
