-- events.notify_substitution: notify the former instructors of events that they are released, and the new ones.
--
-- The lists have one instructor for each event, or null, before and after. Events whose instructor stays are skipped.
-- Called by the routines that change events.

create or replace function events.notify_substitution(event_ids uuid[], previous_ids uuid[], next_ids uuid[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        events.notify_instructors(array_agg(m.event_id), array_agg(m.previous_id), 'released'),
        events.notify_instructors(array_agg(m.event_id), array_agg(m.next_id), 'assigned')
    from unnest(
        notify_substitution.event_ids, notify_substitution.previous_ids, notify_substitution.next_ids
    ) as m (event_id, previous_id, next_id)
    where m.previous_id is distinct from m.next_id
    having count(*) > 0;
$$;

comment on function events.notify_substitution(uuid[], uuid[], uuid[]) is
'Notify the former instructors of events that they are released, and the new ones.';
