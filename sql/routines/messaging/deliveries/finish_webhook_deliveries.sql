-- messaging.finish_webhook_deliveries: record the results of delivery attempts, and disable failing endpoints.
--
-- `results` is a list of {id, attempt, outcome, started_at, duration_ms, status_code, error, response, retry_seconds}.
-- The outcomes are:
--
-- - delivered: the delivery is complete, and no later result changes that;
-- - failed: the delivery is retried after `retry_seconds`, or given up if that is null;
-- - gone: the delivery is given up and its endpoint is disabled;
-- - untried: the attempt is not counted; the next one is due at once, or after `retry_seconds`.
--
-- A later attempt may have started since. The result of the earlier one is then recorded, but it changes the delivery
-- only if its outcome is delivered. An endpoint is disabled after five days and ten attempts without a success.
--
-- Locks the endpoints, then the deliveries, each in id order. A repeated call does not record an attempt or count a
-- failure twice. For the service.
--
-- Returns the counts {delivered, failed, given_up, disabled}; `failed` counts the deliveries that will be retried.

create or replace function messaging.finish_webhook_deliveries(
    results jsonb, at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    delivered integer;
    failed integer;
    given_up integer;
    disabled integer;
begin
    perform
    from messaging.webhook_endpoints as e
    where e.id in (
        select d.endpoint_id
        from messaging.webhook_deliveries as d
        where
            d.id in (select r.id from jsonb_to_recordset(finish_webhook_deliveries.results) as r (id uuid))
    )
    order by e.id
    for no key update;

    with result as materialized (
        select r.*, d.endpoint_id, d.status as status_before, d.attempts
        from jsonb_to_recordset(finish_webhook_deliveries.results) as r (
            id uuid, attempt integer, outcome text, started_at timestamptz, duration_ms integer, status_code integer,
            error text, response text, retry_seconds double precision
        )
        inner join messaging.webhook_deliveries as d on d.id = r.id
        order by r.id
        for update of d
    ),

    written as (
        insert into messaging.webhook_attempts (
            delivery_id, number, started_at, duration_ms, status_code, error, response
        )
        select r.id, r.attempt, r.started_at, r.duration_ms, r.status_code, r.error, left(r.response, 1024)
        from result as r
        where r.outcome <> 'untried'
        on conflict on constraint webhook_attempts_pkey do nothing
        returning delivery_id as id
    ),

    changed as (
        update messaging.webhook_deliveries as d
        set
            status = case
                when r.outcome = 'delivered' then 'delivered'
                when r.outcome = 'untried' or (r.outcome = 'failed' and r.retry_seconds is not null) then 'pending'
                else 'failed'
            end,
            attempts = d.attempts - (r.outcome = 'untried')::integer,
            tries = d.tries - (r.outcome = 'untried')::integer,
            lease_until = null,
            next_attempt_at = case
                when r.outcome = 'untried' and r.retry_seconds is null then d.next_attempt_at
                when r.outcome = 'untried'
                    then finish_webhook_deliveries.at + make_interval(secs => r.retry_seconds)
                when r.outcome = 'failed'
                    then finish_webhook_deliveries.at + make_interval(secs => r.retry_seconds)
            end,
            delivered_at = case when r.outcome = 'delivered' then finish_webhook_deliveries.at end,
            last_status_code = case when r.outcome = 'untried' then d.last_status_code else r.status_code end,
            last_error = case when r.outcome = 'untried' then coalesce(r.error, d.last_error) else r.error end,
            last_duration_ms = case when r.outcome = 'untried' then d.last_duration_ms else r.duration_ms end
        from result as r
        where
            d.id = r.id
            and case
                when r.outcome = 'delivered' then d.status <> 'delivered'
                else d.status = 'pending' and d.attempts = r.attempt
            end
        returning d.id, d.status
    ),

    by_endpoint as (
        select
            r.endpoint_id,
            bool_or(r.outcome = 'delivered') as any_delivered,
            count(*) filter (where r.outcome <> 'delivered') as failures,
            min(r.started_at) as first_failed_at
        from result as r
        inner join written as w on w.id = r.id
        group by r.endpoint_id
    ),

    judged as (
        update messaging.webhook_endpoints as e
        set
            failing_since = case when not b.any_delivered then coalesce(e.failing_since, b.first_failed_at) end,
            failures = case when b.any_delivered then 0 else e.failures + b.failures end
        from by_endpoint as b
        where e.id = b.endpoint_id and (not b.any_delivered or e.failures > 0)
    )

    select
        count(*) filter (where c.status = 'delivered'),
        count(*) filter (where c.status = 'pending' and r.outcome <> 'untried'),
        count(*) filter (where c.status = 'failed')
    into delivered, failed, given_up
    from changed as c
    inner join result as r on r.id = c.id;

    select count(*) filter (where messaging.disable_webhook_endpoint(j.id, j.reason, finish_webhook_deliveries.at))
    into disabled
    from (
        select e.id, case when bool_or(r.outcome = 'gone') then 'gone' else 'failing' end as reason
        from jsonb_to_recordset(finish_webhook_deliveries.results) as r (id uuid, outcome text)
        inner join messaging.webhook_deliveries as d on d.id = r.id
        inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
        where e.enabled
        group by e.id
        having
            bool_or(r.outcome = 'gone')
            or (e.failing_since <= finish_webhook_deliveries.at - interval '120 hours' and e.failures >= 10)
        order by e.id
    ) as j;

    return jsonb_build_object('delivered', delivered, 'failed', failed, 'given_up', given_up, 'disabled', disabled);
end;
$$;

comment on function messaging.finish_webhook_deliveries(jsonb, timestamptz) is
'Record the results of delivery attempts, and disable failing endpoints; returns the counts.';

grant execute on function messaging.finish_webhook_deliveries(jsonb, timestamptz) to service_role;
