-- public.active_alerts: ops.active_alerts with the name and the columns of the earlier system.

create or replace view public.active_alerts with (security_invoker = true) as
select
    a.id,
    a.rule as rule_name,
    a.severity,
    a.metric as metric_name,
    a.value as current_value,
    a.threshold as threshold_value,
    a.fired_at as triggered_at,
    statement_timestamp() - a.fired_at as duration
from ops.active_alerts as a;

comment on view public.active_alerts is 'Alerts that have fired and are not resolved. See ops.active_alerts.';

grant select on public.active_alerts to app_write;
