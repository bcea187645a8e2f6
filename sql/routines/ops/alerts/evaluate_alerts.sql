-- ops.evaluate_alerts: raise and resolve alerts by the rules of ops.alert_rules.
--
-- Each rule has at most one open alert. It is pending from the first crossing, fires after the rule's for_seconds, and
-- resolves at the first evaluation without a crossing. A pending alert that clears is deleted. After a resolution the
-- rule raises no alert during its cool-down. No measurement counts as no crossing. The outbox receives a message when
-- an alert fires or resolves.
--
-- An advisory lock serializes evaluations. Returns {"fired": [rules], "resolved": [rules], "open": n}.

create or replace function ops.evaluate_alerts(at timestamptz default statement_timestamp())
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_rule ops.alert_rules;
    the_alert ops.alerts;
    the_value double precision;
    is_crossed boolean;
    fired text[] := '{}';
    resolved text[] := '{}';
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.evaluate_alerts', 0));

    for the_rule in
        select r.* from ops.alert_rules as r order by r.name
    loop
        the_value := ops.metric_aggregate(
            the_rule.metric, the_rule.aggregate, the_rule.window_seconds, evaluate_alerts.at
        );
        is_crossed := the_rule.enabled and coalesce(
            case the_rule.comparison
                when '>' then the_value > the_rule.threshold
                else the_value < the_rule.threshold
            end,
            false
        );

        select a.* into the_alert
        from ops.alerts as a
        where a.rule = the_rule.name and a.resolved_at is null;

        if the_alert.id is null and is_crossed and not exists (
            select
            from ops.alerts as a
            where
                a.rule = the_rule.name
                and a.resolved_at > evaluate_alerts.at - make_interval(secs => the_rule.cool_down_seconds)
        ) then
            insert into ops.alerts (rule, severity, value, pending_since)
            values (the_rule.name, the_rule.severity, the_value, evaluate_alerts.at)
            returning * into the_alert;
        end if;

        if the_alert.id is null then
            continue;
        end if;

        if
            is_crossed
            and the_alert.fired_at is null
            and evaluate_alerts.at >= the_alert.pending_since + make_interval(secs => the_rule.for_seconds)
        then
            update ops.alerts as a
            set fired_at = evaluate_alerts.at, value = the_value
            where a.id = the_alert.id;
            perform ops.notify_alert('alert.fired', the_alert.id);
            fired := fired || the_rule.name;
        elsif not is_crossed and the_alert.fired_at is null then
            delete from ops.alerts as a
            where a.id = the_alert.id;
        elsif not is_crossed then
            update ops.alerts as a
            set resolved_at = evaluate_alerts.at
            where a.id = the_alert.id;
            perform ops.notify_alert('alert.resolved', the_alert.id);
            resolved := resolved || the_rule.name;
        end if;
    end loop;

    return jsonb_build_object(
        'fired', fired,
        'resolved', resolved,
        'open', (select count(*) from ops.alerts as a where a.fired_at is not null and a.resolved_at is null)
    );
end;
$$;

comment on function ops.evaluate_alerts(timestamptz) is
'Raise and resolve alerts by their rules; returns the names of the rules.';

grant execute on function ops.evaluate_alerts(timestamptz) to service_role;
