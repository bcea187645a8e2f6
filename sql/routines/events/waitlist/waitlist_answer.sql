-- events.waitlist_answer: return a waitlist entry with its position, as JSON.
--
-- The position counts waiting entries, from 1. An offered entry has none.

create or replace function events.waitlist_answer(entry_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select events.waitlist_payload(w, null) - 'organization_id'
    from events.waitlist_entries as w
    where w.id = waitlist_answer.entry_id;
$$;

comment on function events.waitlist_answer(uuid) is 'Return a waitlist entry with its position, as JSON.';
