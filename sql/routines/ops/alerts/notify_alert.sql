-- ops.notify_alert: write the outbox message about an alert that has fired or resolved. Internal.

create or replace function ops.notify_alert(topic text, alert_id bigint)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into public.outbox (topic, key, payload)
    select
        notify_alert.topic,
        'alert:' || a.rule,
        jsonb_build_object(
            'alert_id', a.id, 'rule', a.rule, 'severity', a.severity, 'metric', r.metric, 'aggregate', r.aggregate,
            'window_seconds', r.window_seconds, 'comparison', r.comparison, 'threshold', r.threshold, 'value', a.value,
            'pending_since', a.pending_since, 'fired_at', a.fired_at, 'resolved_at', a.resolved_at
        )
    from ops.alerts as a
    inner join ops.alert_rules as r on r.name = a.rule
    where a.id = notify_alert.alert_id;
$$;

comment on function ops.notify_alert(text, bigint) is 'Write the outbox message about an alert.';
