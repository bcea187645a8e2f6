-- users.claim_export: lease the oldest requested export to a worker; no row if none is waiting.
--
-- A worker that stops leaves the request to the next one, when its lease ends. After five attempts the request has
-- failed. Locked rows are skipped. For the service.

create or replace function users.claim_export(
    lease_seconds integer, attempts_most integer default 5, at timestamptz default statement_timestamp()
)
returns table (id uuid, user_id uuid, attempt integer)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with failed as (
        update users.exports as e
        set status = 'failed', lease_until = null
        where
            e.status = 'requested'
            and e.attempts >= claim_export.attempts_most
            and (e.lease_until <= claim_export.at) is not false
    ),

    oldest as materialized (
        select e.id
        from users.exports as e
        where
            e.status = 'requested'
            and e.attempts < claim_export.attempts_most
            and (e.lease_until <= claim_export.at) is not false
        order by e.requested_at
        limit 1
        for no key update skip locked
    )

    update users.exports as e
    set attempts = e.attempts + 1, lease_until = claim_export.at + make_interval(secs => claim_export.lease_seconds)
    from oldest as o
    where e.id = o.id
    returning e.id, e.user_id, e.attempts;
$$;

comment on function users.claim_export(integer, integer, timestamptz) is
'Lease the oldest requested export to a worker; no row if none is waiting.';

grant execute on function users.claim_export(integer, integer, timestamptz) to service_role;
