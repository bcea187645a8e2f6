-- ops.active_alerts: alerts that have fired and are not resolved. For the service.

create or replace view ops.active_alerts with (security_invoker = true) as
select
    a.id,
    a.rule,
    a.severity,
    r.metric,
    r.aggregate,
    r.comparison,
    r.threshold,
    a.value,
    a.pending_since,
    a.fired_at
from ops.alerts as a
inner join ops.alert_rules as r on r.name = a.rule
where a.fired_at is not null and a.resolved_at is null;

comment on view ops.active_alerts is 'Alerts that have fired and are not resolved.';

grant select on ops.active_alerts to app_write;
