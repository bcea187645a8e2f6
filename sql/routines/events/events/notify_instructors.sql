-- events.notify_instructors: notify the people who lead events, once for all events of one edit.
--
-- `instructor_ids` has one for each of `event_ids`, or null. `duty` is assigned, released, or changed. The message
-- names the first of the events and their number. Called by the routines that change events.

create or replace function events.notify_instructors(
    event_ids uuid[], instructor_ids uuid[], duty text, changed text[] default '{}'
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into public.outbox (topic, key, payload)
    select
        'event.lead_changed', f.event_id::text,
        events.event_payload(f.event_id) || jsonb_build_object(
            'notified_instructor_id', f.instructor_id, 'duty', notify_instructors.duty,
            'changed', to_jsonb(notify_instructors.changed), 'events', f.events
        )
    from (
        select distinct on (m.instructor_id)
            m.instructor_id,
            m.event_id,
            count(*) over (partition by m.instructor_id) as events
        from unnest(notify_instructors.event_ids, notify_instructors.instructor_ids) as m (event_id, instructor_id)
        inner join events.terms as t on t.event_id = m.event_id
        where m.instructor_id is not null and t.status = 'scheduled'
        order by m.instructor_id, t.starts_at, m.event_id
    ) as f
    order by f.instructor_id;
$$;

comment on function events.notify_instructors(uuid[], uuid[], text, text[]) is
'Notify the people who lead events, once for all events of one edit.';
