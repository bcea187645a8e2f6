-- rating.finish_items: remove counted items from the queue.
--
-- An item that was not marked since its claim leaves the queue. If publish_at has the time of a delayed score, the item
-- waits for that time instead. An item that was marked meanwhile is available again at once. Locks the rows in the
-- order of organization and item. The arrays correspond by position, and publish_at may be null as a whole. Call it in
-- the transaction that writes the results. Returns the number of removed items.

create or replace function rating.finish_items(
    organization_ids uuid[],
    item_ids text[],
    generations bigint[],
    publish_at timestamptz[] default null,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    finished integer;
begin
    with locked as materialized (
        select
            d.organization_id,
            d.item_id,
            f.publish_at,
            d.generation = f.generation as unchanged
        from unnest(
            finish_items.organization_ids, finish_items.item_ids, finish_items.generations, finish_items.publish_at
        ) as f (organization_id, item_id, generation, publish_at)
        inner join rating.dirty_items as d on d.organization_id = f.organization_id and d.item_id = f.item_id
        order by d.organization_id, d.item_id
        for update of d
    ),

    waiting as (
        update rating.dirty_items as d
        set
            lease_until = null,
            attempts = 0,
            last_error = null,
            marked_at = case when l.unchanged then l.publish_at else finish_items.at end,
            available_at = case
                when l.unchanged then l.publish_at
                else finish_items.at - make_interval(secs => 20 * d.priority)
            end
        from locked as l
        where
            d.organization_id = l.organization_id
            and d.item_id = l.item_id
            and (not l.unchanged or l.publish_at is not null)
    )

    delete from rating.dirty_items as d
    using locked as l
    where
        d.organization_id = l.organization_id
        and d.item_id = l.item_id
        and l.unchanged
        and l.publish_at is null;

    get diagnostics finished = row_count;
    return finished;
end;
$$;

comment on function rating.finish_items(uuid[], text[], bigint[], timestamptz[], timestamptz) is
'Remove counted items from the queue, unless they were marked meanwhile or have a delayed score. Returns their number.';

grant execute on function rating.finish_items(uuid[], text[], bigint[], timestamptz[], timestamptz) to service_role;
