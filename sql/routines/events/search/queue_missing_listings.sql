-- events.queue_missing_listings: queue the upcoming public events that have no listing. Idempotent.
--
-- Called after each migration: for events that were created before listings were, or by a restored older backup.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.queue_missing_listings()
returns void
language sql
security invoker
set search_path = pg_catalog, pg_temp
as $$
    insert into events.stale_listings (event_id)
    select t.event_id
    from events.terms as t
    inner join events.inventory as i on i.event_id = t.event_id
    where
        t.visibility = 'public'
        and t.status = 'scheduled'
        and not exists (select from events.listings as l where l.event_id = t.event_id)
        and not exists (select from events.stale_listings as s where s.event_id = t.event_id)
    order by t.starts_at;
$$;

comment on function events.queue_missing_listings() is 'Queue the upcoming public events that have no listing.';
