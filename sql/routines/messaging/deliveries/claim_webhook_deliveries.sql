-- messaging.claim_webhook_deliveries: lease due deliveries and return them with the secrets that sign them.
--
-- Claims at most `most` deliveries, the oldest first. At most `per_endpoint` deliveries of one endpoint are leased at
-- the same time, over all workers, so that a slow endpoint does not delay the others.
--
-- First attempts for one key of an endpoint keep their order: while one is leased, later ones are not claimed. If
-- several are claimed together, the caller sends them one after the other. Retries neither wait for this order nor
-- block it. The attempt is counted here, so that a delivery that kills its worker also runs out of attempts.
--
-- The texts are read here (messaging.webhook_data): the row holds ids, amounts, times and states only.
--
-- The reason of a cancellation is read here (messaging.notification_reason): the row holds ids and amounts only.
--
-- An advisory lock, held until the transaction ends, serializes claims. Rows that another transaction has locked are
-- skipped. A caller must finish the deliveries that it claimed; otherwise the lease expires and others may claim them.
-- For the service. Only this routine and messaging.webhook_secrets_to_seal return secrets.

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
'Lease due deliveries and return them with the secrets that sign them.';

grant execute on function messaging.claim_webhook_deliveries(integer, integer, integer, timestamptz, boolean)
to service_role;
