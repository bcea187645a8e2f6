-- public.performance_metrics: ops.performance_metrics under the earlier system's name and with its columns.

create or replace view public.performance_metrics with (security_invoker = true) as
select
    m.name as metric_name,
    m.value as metric_value,
    m.unit as metric_unit,
    m.tags,
    m.recorded_at
from ops.performance_metrics as m;

comment on view public.performance_metrics is 'Measurements; see ops.performance_metrics.';

grant select on public.performance_metrics to app_write;
