-- events.cancel_event: cancel an event for its organizer (events.cancel_events).
--
-- Locks the event's inventory. A repeated call returns the same response.
--
-- Refuses: 404 event_not_found, 403 forbidden, 409 event_over.

create or replace function events.cancel_event(event_id uuid, reason text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms := events.require_staff(cancel_event.event_id, 'editor', 'admin', 'owner');
begin
    perform events.lock_inventory(cancel_event.event_id);
    -- Both the event and the caller's role may have changed while this waited.
    the_terms := events.require_staff(cancel_event.event_id, 'editor', 'admin', 'owner');

    if the_terms.status <> 'cancelled' then
        if the_terms.status = 'completed' or the_terms.ends_at <= statement_timestamp() then
            raise exception using errcode = 'PT409', message = 'event_over',
                detail = jsonb_build_object('ended_at', the_terms.ends_at)::text;
        end if;
        perform events.cancel_events(array[cancel_event.event_id], cancel_event.reason);
    end if;
    return events.event_answer(cancel_event.event_id);
end;
$$;

comment on function events.cancel_event(uuid, text) is 'Cancel an event for its organizer. Returns the event.';

grant execute on function events.cancel_event(uuid, text) to authenticated, service_role;
