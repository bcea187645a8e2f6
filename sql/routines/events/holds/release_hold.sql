-- events.release_hold: release a hold before it expires, and offer its seats to the waitlist.
--
-- Locks the event's inventory. A repeated call returns the same response. Offers of the waitlist are declined
-- (events.decline_offer), not released.
--
-- Refuses: 403 forbidden, 404 hold_not_found, 409 invalid_transition if the hold was used.

create or replace function events.release_hold(hold_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_hold events.holds;
begin
    -- Read the hold and the caller's right to it, lock the event, and read both again: they may have changed while this
    -- waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_hold.event_id);
        end if;

        perform users.refuse_erased();
        select h.* into the_hold
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where
            h.id = release_hold.hold_id
            and h.purpose in ('online', 'desk')
            and (
                h.customer_id = ops.caller_id()
                or events.is_staff(t.organization_id)
            );

        if not found then
            raise exception using errcode = 'PT404', message = 'hold_not_found';
        end if;
    end loop;

    if the_hold.status not in ('released', 'expired') then
        update events.holds as h
        set status = 'released'
        where h.id = the_hold.id
        returning h.* into the_hold;
        perform events.offer_seats(the_hold.event_id);
    end if;

    return (
        select events.hold_answer(the_hold, t) from events.terms as t where t.event_id = the_hold.event_id
    );
end;
$$;

comment on function events.release_hold(uuid) is 'Release a hold before it expires. Returns the hold.';

grant execute on function events.release_hold(uuid) to authenticated, service_role;
