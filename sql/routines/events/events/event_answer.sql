-- events.event_answer: return an event with its seats, as JSON, for staff of its organization.

create or replace function events.event_answer(event_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(e) - array['search', 'search_config', 'sequence', 'local_start'] || jsonb_build_object(
        'capacity', i.capacity,
        'taken', i.taken,
        'held', i.held,
        'waitlisted', i.waitlisted
    )
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    inner join events.inventory as i on i.event_id = t.event_id
    where t.event_id = event_answer.event_id;
$$;

comment on function events.event_answer(uuid) is 'Return an event with its seats, as JSON, for staff.';
