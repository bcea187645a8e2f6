-- ops.claim_outbox: take the next messages to relay, for a while.
--
-- In the order of their ids. A message is taken only if every earlier one of its key that is still to be relayed is
-- taken with it: what is leased to another relay or waits for its next attempt holds back its own key and no other,
-- and what is parked holds back nobody. Claims take turns by an advisory lock, which ends with the transaction; they
-- never wait for those who write messages. Whoever claims must finish, fail or release; else the lease runs out and
-- others may claim.
--
-- `after` leaves out ids up to it, so that a relay's second claim need not step over what it has just relayed.

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

    -- Wider and wider, for the case that many in front are not to be had.
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
'Take the next messages to relay under a lease, in order, and in order per key.';

grant execute on function ops.claim_outbox(integer, integer, bigint, timestamptz) to service_role;
