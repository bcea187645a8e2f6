-- rating.claim_dirty_items: take the next items to count or publish, for a while.
--
-- Those that wait longest, each point of priority being worth twenty seconds of waiting, so that age wins in the end.
-- It waits for nobody: rows that are locked are left out. What is claimed stays in the set: whoever claims must finish,
-- fail or release; else the lease runs out and others may claim. Commit at once. The answer is in the order of
-- organization and item.

create or replace function rating.claim_dirty_items(
    most integer default 500,
    lease_seconds integer default 120,
    at timestamptz default statement_timestamp()
)
returns table (organization_id uuid, item_id text, generation bigint, attempts integer)
language plpgsql
security definer
set search_path = ''
rows 500
as $$
begin
    return query
    with next_ones as materialized (
        select d.organization_id, d.item_id
        from rating.dirty_items as d
        where d.available_at <= claim_dirty_items.at
        order by d.available_at
        limit claim_dirty_items.most
        for update skip locked
    ),

    claimed as (
        update rating.dirty_items as d
        set
            lease_until = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds),
            available_at = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds)
        from next_ones as n
        where d.organization_id = n.organization_id and d.item_id = n.item_id
        returning d.organization_id, d.item_id, d.generation, d.attempts
    )

    select c.organization_id, c.item_id::text, c.generation, c.attempts
    from claimed as c
    order by c.organization_id, c.item_id;
end;
$$;

comment on function rating.claim_dirty_items(integer, integer, timestamptz) is
'Take the next items to count or publish under a lease, those that wait longest first.';

grant execute on function rating.claim_dirty_items(integer, integer, timestamptz) to service_role;
