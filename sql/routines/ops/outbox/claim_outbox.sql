-- ops.claim_outbox: lease the next messages to relay, in id order.
--
-- A message is claimed only together with all earlier unrelayed messages of its key. So a message that is leased
-- elsewhere or waits for its next attempt delays its own key and no other. A parked message delays nothing.
--
-- `after` skips ids up to it, so that a relay's next claim does not scan the rows that it has just relayed.
--
-- An advisory lock, held until the transaction ends, serializes claims. Claims never wait for transactions that write
-- messages. A caller must finish, fail or release the messages; otherwise the lease expires and others may claim them.
-- For the service.

create or replace function ops.claim_outbox(
    most integer default 500,
    lease_seconds integer default 60,
    after bigint default 0,
    at timestamptz default statement_timestamp()
)
returns table (
    id bigint,
    topic text,
    key text,
    payload jsonb,
    correlation_id text,
    created_at timestamptz,
    attempts integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    scan_most integer := claim_outbox.most * 2;
    scanned integer;
    chosen bigint[];
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.claim_outbox', 0));

    -- Widen the scan while too many of the first messages cannot be claimed.
    loop
        with unfinished as materialized (
            select
                o.id,
                o.key,
                o.available_at <= claim_outbox.at and (o.lease_until <= claim_outbox.at) is not false as ready
            from public.outbox as o
            where o.relayed_at is null and o.parked_at is null and o.id > claim_outbox.after
            order by o.id
            limit scan_most
        ),

        in_order as materialized (
            select u.id, u.key, bool_and(u.ready) over (partition by u.key order by u.id) as ready
            from unfinished as u
        ),

        held_back as (
            select e.key
            from (select distinct i.key from in_order as i where i.ready) as k
            cross join lateral (
                select o.key
                from public.outbox as o
                where o.key = k.key and o.id <= claim_outbox.after and o.relayed_at is null and o.parked_at is null
                limit 1
            ) as e
        )

        select
            (select count(*) from unfinished),
            array(
                select i.id
                from in_order as i
                where i.ready and i.key not in (select h.key from held_back as h)
                order by i.id
                limit claim_outbox.most
            )
        into scanned, chosen;

        exit when cardinality(chosen) >= claim_outbox.most or scanned < scan_most;
        scan_most := scan_most * 4;
    end loop;

    return query
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(chosen) and o.relayed_at is null and o.parked_at is null
        order by o.id
        for update skip locked
    ),

    whole as (
        select o.id, bool_and(l.id is not null) over (partition by o.key order by o.id) as is_whole
        from public.outbox as o
        left join locked as l on l.id = o.id
        where o.id = any(chosen)
    ),

    claimed as (
        update public.outbox as o
        set lease_until = claim_outbox.at + make_interval(secs => claim_outbox.lease_seconds)
        from whole as w
        where w.id = o.id and w.is_whole
        returning o.*
    )

    select c.id, c.topic::text, c.key::text, c.payload, c.correlation_id, c.created_at, c.attempts
    from claimed as c
    order by c.id;
end;
$$;

comment on function ops.claim_outbox(integer, integer, bigint, timestamptz) is
'Lease the next messages to relay, in id order and in order for each key.';

grant execute on function ops.claim_outbox(integer, integer, bigint, timestamptz) to service_role;
