-- messaging.claim_webhook_deliveries: take deliveries that are due, for a while, with what it takes to send them.
--
-- The oldest first, at most so many, and of one endpoint at most `per_endpoint` in the hands of all workers, so that
-- a slow endpoint holds up no other. First attempts of one key of an endpoint go in order: while one is being sent,
-- later ones wait; those that are claimed together are to be sent one after the other. Retries wait for nobody and
-- hold up nobody. The attempt is counted here, so that what kills its worker is not tried for ever.
--
-- The secrets come as they are stored: sealed, or plain from before they were sealed. A caller that cannot open
-- sealed ones leaves `sealed` out, and deliveries of endpoints that have one wait for a caller that can: during a
-- deployment the earlier code calls this too.
--
-- The texts are read here (messaging.webhook_data): the row holds ids, amounts, times and states only.
--
-- Claims take turns by an advisory lock, which ends with the transaction. Whoever claims must finish; else the lease
-- runs out and others may claim. For the service. Only this routine and messaging.webhook_secrets_to_seal return
-- secrets.

create or replace function messaging.claim_webhook_deliveries(
    most integer default 64,
    per_endpoint integer default 8,
    lease_seconds integer default 90,
    at timestamptz default statement_timestamp(),
    sealed boolean default false
)
returns table (
    id uuid,
    endpoint_id uuid,
    url text,
    secrets text[],
    topic text,
    key text,
    payload jsonb,
    occurred_at timestamptz,
    attempt integer,
    try integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('messaging.claim_webhook_deliveries', 0));

    return query
    with due as materialized (
        select c.id
        from messaging.webhook_endpoints as e
        cross join lateral (
            select count(*) as number
            from messaging.webhook_deliveries as f
            where f.endpoint_id = e.id and f.lease_until > claim_webhook_deliveries.at
        ) as in_flight
        cross join lateral (
            select d.id, d.next_attempt_at, d.outbox_id
            from messaging.webhook_deliveries as d
            where
                d.endpoint_id = e.id
                and d.status = 'pending'
                and d.next_attempt_at <= claim_webhook_deliveries.at
                and (d.lease_until <= claim_webhook_deliveries.at) is not false
                and (d.attempts > 0 or not exists (
                    select
                    from messaging.webhook_deliveries as f
                    where
                        f.endpoint_id = e.id
                        and f.key = d.key
                        and f.lease_until > claim_webhook_deliveries.at
                        and f.attempts = 1
                ))
            order by d.next_attempt_at, d.outbox_id
            limit greatest(claim_webhook_deliveries.per_endpoint - in_flight.number, 0)
        ) as c
        where
            e.enabled
            and (claim_webhook_deliveries.sealed or not exists (
                select from messaging.webhook_secrets as s where s.endpoint_id = e.id and s.sealed is not null
            ))
        order by c.next_attempt_at, c.outbox_id
        limit claim_webhook_deliveries.most
    ),

    locked as materialized (
        select d.id
        from messaging.webhook_deliveries as d
        where d.id in (select u.id from due as u) and d.status = 'pending'
        order by d.id
        for update skip locked
    ),

    claimed as (
        update messaging.webhook_deliveries as d
        set
            lease_until = claim_webhook_deliveries.at + make_interval(secs => claim_webhook_deliveries.lease_seconds),
            attempts = d.attempts + 1,
            tries = d.tries + 1
        from locked as l
        where l.id = d.id
        returning d.*
    )

    select
        c.id, c.endpoint_id, e.url,
        array(
            select coalesce(s.sealed, s.secret)
            from messaging.webhook_secrets as s
            where s.endpoint_id = c.endpoint_id and (s.expires_at <= claim_webhook_deliveries.at) is not true
            order by s.expires_at desc nulls first
        ),
        c.topic, c.key,
        messaging.webhook_data(c.topic, c.payload),
        c.occurred_at, c.attempts, c.tries
    from claimed as c
    inner join messaging.webhook_endpoints as e on e.id = c.endpoint_id
    order by c.next_attempt_at, c.outbox_id;
end;
$$;

comment on function messaging.claim_webhook_deliveries(integer, integer, integer, timestamptz, boolean) is
'Take deliveries that are due under a lease, with what it takes to send and sign them.';

grant execute on function messaging.claim_webhook_deliveries(integer, integer, integer, timestamptz, boolean)
to service_role;
