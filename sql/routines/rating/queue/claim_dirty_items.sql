-- rating.claim_dirty_items: lease the next items to count or publish, the longest waiting first.
--
-- Each point of priority counts as twenty seconds of waiting, so age wins in the end. Skips locked rows. A claimed item
-- stays in the set until the worker finishes, fails or releases it. After the lease ends, other workers may claim it.
-- Commit the claim at once. Returns items in the order of organization and item.
--
-- `skip locked` still waits in one case: a row was changed by a transaction that has just committed, and another
-- transaction is changing it. Rows are not locked in id order here, so that wait could deadlock with a transaction that
-- marks items. Therefore lock_timeout is short. After a time-out the claim releases all its rows and tries again, with
-- ten attempts at most.

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
'Lease the next items to count or publish, the longest waiting first.';

grant execute on function rating.claim_dirty_items(integer, integer, timestamptz) to service_role;
