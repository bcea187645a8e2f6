-- events.promote_waitlist: offer an event's free seats to its waitlist now, at the request of staff.
--
-- Locks the event's inventory, and expires overdue holds first. The order of the waitlist applies to staff too. The
-- response names customers, so the access log records it.
--
-- Refuses: 403 forbidden, 404 event_not_found.

create or replace function events.promote_waitlist(event_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_staff(promote_waitlist.event_id, 'front_desk', 'editor', 'admin', 'owner');
    perform events.lock_inventory(promote_waitlist.event_id);
    -- The caller's role may have changed while this waited.
    perform events.require_staff(promote_waitlist.event_id, 'front_desk', 'editor', 'admin', 'owner');
    perform events.expire_event_holds(promote_waitlist.event_id);
    perform ops.add_accesses(
        operation => 'promote',
        read => (
            select jsonb_agg(jsonb_build_object(
                'organization_id', t.organization_id, 'person', w.customer_id, 'rows', 1
            ))
            from events.waitlist_entries as w
            inner join events.terms as t on t.event_id = w.event_id
            where w.event_id = promote_waitlist.event_id and w.status = 'offered'
        ),
        event_id => promote_waitlist.event_id
    );
    return jsonb_build_object(
        'event_id', promote_waitlist.event_id,
        'offered', (
            select coalesce(jsonb_agg(events.waitlist_answer(w.id) order by w.place), '[]')
            from events.waitlist_entries as w
            where w.event_id = promote_waitlist.event_id and w.status = 'offered'
        ),
        'waiting', (
            select i.waitlisted from events.inventory as i where i.event_id = promote_waitlist.event_id
        )
    );
end;
$$;

comment on function events.promote_waitlist(uuid) is
'Offer an event''s free seats to its waitlist now. Returns the open offers.';

grant execute on function events.promote_waitlist(uuid) to authenticated, service_role;
