-- rating.claim_dirty_items: take the next items to count or publish, for a while.
--
-- Those that wait longest, each point of priority being worth twenty seconds of waiting, so that age wins in the end.
-- It waits for nobody for long: rows that are locked are left out. PostgreSQL does wait in one case, in which a row was
-- changed by one who is done just now and is being changed by another; since the rows are not locked in their order
-- here, that could be in a circle with who marks them. So the wait is short, and then the claim lets go of all rows and
-- begins anew, some times at most. What is claimed stays in the set: whoever claims must finish,
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
set search_path = pg_catalog, pg_temp
set lock_timeout = '50ms'
rows 500
as $$
declare
    attempts_left integer := 10;
    organization_ids uuid[];
    item_ids text[];
begin
    while attempts_left > 0 loop
        begin
            select array_agg(n.organization_id), array_agg(n.item_id::text)
            into organization_ids, item_ids
            from (
                select d.organization_id, d.item_id
                from rating.dirty_items as d
                where d.available_at <= claim_dirty_items.at
                order by d.available_at
                limit claim_dirty_items.most
                for update skip locked
            ) as n;

            exit;
        exception
            when lock_not_available then
                attempts_left := attempts_left - 1;
        end;
    end loop;

    return query
    with claimed as (
        update rating.dirty_items as d
        set
            lease_until = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds),
            available_at = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds)
        from unnest(organization_ids, item_ids) as n (organization_id, item_id)
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
