-- ops.tell_of_alert: write the message that an alert was raised or has cleared.

create or replace function ops.tell_of_alert(topic text, alert_id bigint)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into public.outbox (topic, key, payload)
    select
        tell_of_alert.topic,
        'alert:' || a.rule,
        ops.alert_payload(a, r)
    from ops.alerts as a
    inner join ops.alert_rules as r on r.name = a.rule
    where a.id = tell_of_alert.alert_id;
$$;

comment on function ops.tell_of_alert(text, bigint) is 'Write the message about an alert.';
