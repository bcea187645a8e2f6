-- public.performance_metrics: ops.performance_metrics with the name and the columns of the earlier system.

create or replace view public.performance_metrics with (security_invoker = true) as
select
    m.name as metric_name,
    m.value as metric_value,
    m.unit as metric_unit,
    m.tags,
    m.recorded_at
from ops.performance_metrics as m;

comment on view public.performance_metrics is 'Measurements. See ops.performance_metrics.';

grant select on public.performance_metrics to app_write;
