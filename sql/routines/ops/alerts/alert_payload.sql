-- ops.alert_payload: return an alert with its rule as its messages store it.

create or replace function ops.alert_payload(alert ops.alerts, rule ops.alert_rules)
returns jsonb
language sql
stable
return jsonb_build_object(
    'alert_id', (alert_payload.alert).id,
    'rule', (alert_payload.alert).rule,
    'severity', (alert_payload.alert).severity,
    'metric', (alert_payload.rule).metric,
    'aggregate', (alert_payload.rule).aggregate,
    'window_seconds', (alert_payload.rule).window_seconds,
    'comparison', (alert_payload.rule).comparison,
    'threshold', (alert_payload.rule).threshold,
    'value', (alert_payload.alert).value,
    'pending_since', (alert_payload.alert).pending_since,
    'fired_at', (alert_payload.alert).fired_at,
    'resolved_at', (alert_payload.alert).resolved_at
);

comment on function ops.alert_payload(ops.alerts, ops.alert_rules) is
'Return an alert with its rule as its messages store it.';
