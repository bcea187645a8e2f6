-- rating.mark_inbox: mark the items of new events, all events of a statement in one statement.
--
-- Locks rows in the order of organization and item, so that concurrent writers do not deadlock. The priority is that of
-- the most urgent event: fire 15, super vote 10, slider 5, vote 0. rating.mark_dirty describes the effect on an item
-- that is already marked.

create or replace function rating.mark_inbox()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into rating.dirty_items as d (organization_id, item_id, priority, marked_at, available_at)
    select
        i.organization_id,
        i.item_id,
        i.priority,
        i.received_at,
        i.received_at - make_interval(secs => 20 * i.priority)
    from (
        select
            n.organization_id,
            n.item_id,
            min(n.received_at) as received_at,
            max(case when n.kind = 'fire' then 15 when n.kind = 'slider' then 5 when n.weight = 2 then 10 else 0 end)
            as priority
        from new_events as n
        group by n.organization_id, n.item_id
    ) as i
    order by i.organization_id, i.item_id
    on conflict on constraint dirty_items_pkey do update
    set
        priority = greatest(d.priority, excluded.priority),
        generation = excluded.generation,
        marked_at = least(d.marked_at, excluded.marked_at),
        available_at = case
            when d.lease_until is null and d.attempts = 0 then least(d.available_at, excluded.available_at)
            else d.available_at
        end;

    return null;
end;
$$;

comment on function rating.mark_inbox() is 'Mark the items of new events, in one ordered statement.';

create or replace trigger mark_dirty
after insert on rating.inbox
referencing new table as new_events
for each statement
execute function rating.mark_inbox();
