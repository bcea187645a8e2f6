-- rating.finish_items: these items are counted.
--
-- An item that was not marked since it was claimed leaves the set, unless publish_at says when a score that is held
-- back is due: then it waits for that. One that was marked meanwhile is to be had again at once. Locks the rows in the
-- order of organization and item. The arrays belong together by position; publish_at may be null as a whole. Belongs
-- into the transaction that writes the results. Answers how many left the set.

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
'Items are counted: those not marked meanwhile leave the set, or wait for their publish; answers how many left.';

grant execute on function rating.finish_items(uuid[], text[], bigint[], timestamptz[], timestamptz) to service_role;
