-- rating.release_items: return claimed items to the queue without an attempt.
--
-- For a worker that stops for a reason unrelated to the items: they get their former turn. Locks the rows in the order
-- of organization and item. The arrays correspond by position. Returns the number of released items.

create or replace function rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[])
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    released integer;
begin
    with locked as materialized (
        select d.organization_id, d.item_id
        from unnest(release_items.organization_ids, release_items.item_ids, release_items.generations)
            as r (organization_id, item_id, generation)
        inner join rating.dirty_items as d on d.organization_id = r.organization_id and d.item_id = r.item_id
        where d.lease_until is not null
        order by d.organization_id, d.item_id
        for update of d
    )

    update rating.dirty_items as d
    set lease_until = null, available_at = d.marked_at - make_interval(secs => 20 * d.priority)
    from locked as l
    where d.organization_id = l.organization_id and d.item_id = l.item_id;

    get diagnostics released = row_count;
    return released;
end;
$$;

comment on function rating.release_items(uuid[], text[], bigint[]) is
'Return claimed items to the queue without an attempt. Returns their number.';

grant execute on function rating.release_items(uuid[], text[], bigint[]) to service_role;
