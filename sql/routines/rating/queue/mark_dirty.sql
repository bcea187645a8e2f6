-- rating.mark_dirty: mark items to be counted or published.
--
-- One statement, which locks its rows in the order of organization and item, like all code. An item that is already
-- marked keeps its age and gets the higher priority. A leased or failed item keeps its turn. Its new generation shows
-- the worker that finishes it that more is to do. Returns the number of marked items.
--
-- For the service, which may name any item: an unknown item has nothing to count.

create or replace function rating.mark_dirty(
    organization_id uuid,
    item_ids text[],
    priority integer default 0,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    marked integer;
begin
    insert into rating.dirty_items as d (organization_id, item_id, priority, marked_at, available_at)
    select
        mark_dirty.organization_id,
        i.item_id,
        mark_dirty.priority,
        mark_dirty.at,
        mark_dirty.at - make_interval(secs => 20 * mark_dirty.priority)
    from (select distinct u.item_id from unnest(mark_dirty.item_ids) as u (item_id)) as i
    order by i.item_id
    on conflict on constraint dirty_items_pkey do update
    set
        priority = greatest(d.priority, excluded.priority),
        generation = excluded.generation,
        marked_at = least(d.marked_at, excluded.marked_at),
        available_at = case
            when d.lease_until is null and d.attempts = 0 then least(d.available_at, excluded.available_at)
            else d.available_at
        end;

    get diagnostics marked = row_count;
    return marked;
end;
$$;

comment on function rating.mark_dirty(uuid, text[], integer, timestamptz) is
'Mark items to be counted or published. Returns their number.';

grant execute on function rating.mark_dirty(uuid, text[], integer, timestamptz) to service_role;
