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
        ops.alert_payload(a, r)
    from ops.alerts as a
    inner join ops.alert_rules as r on r.name = a.rule
    where a.id = notify_alert.alert_id;
$$;

comment on function ops.notify_alert(text, bigint) is 'Write the outbox message about an alert.';
