-- ops.set_retention_period: set the period of a rule of ops.retention, within its bounds.
--
-- The nightly clean-up applies it. A rule without bounds is fixed. For the service. Returns {"rule", "period", "least",
-- "most"}, with periods in words.
--
-- Refuses: 403 forbidden, 404 retention_rule_not_found, 422 retention_period_out_of_bounds.

create or replace function ops.set_retention_period(rule text, period interval)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_rule ops.retention;
begin
    if not ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only the service may do this.')::text;
    end if;

    select r.* into the_rule
    from ops.retention as r
    where r.rule = set_retention_period.rule and r.period is not null
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'retention_rule_not_found';
    end if;
    if
        (
            set_retention_period.period between coalesce(the_rule.period_least, the_rule.period)
            and coalesce(the_rule.period_most, the_rule.period)
        ) is not true
    then
        raise exception using errcode = 'PT422', message = 'retention_period_out_of_bounds',
            detail = jsonb_build_object(
                'least', coalesce(the_rule.period_least, the_rule.period)::text,
                'most', coalesce(the_rule.period_most, the_rule.period)::text
            )::text;
    end if;

    update ops.retention as r
    set period = set_retention_period.period
    where r.rule = set_retention_period.rule and r.period is not null
    returning r.* into the_rule;

    return jsonb_build_object(
        'rule', the_rule.rule, 'period', the_rule.period::text,
        'least', the_rule.period_least::text, 'most', the_rule.period_most::text
    );
end;
$$;

comment on function ops.set_retention_period(text, interval) is
'Set the period of a rule of ops.retention, within its bounds.';

grant execute on function ops.set_retention_period(text, interval) to service_role;
