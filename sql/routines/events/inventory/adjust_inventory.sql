-- events.adjust_inventory: adjust an event's counters, never beyond its capacity.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- The triggers that count bookings, holds and waitlist entries call it. Only events.count_booking adds seats itself, if
-- they are certainly free, and calls this routine otherwise. Locks the event's inventory row. The check is part of the
-- update, so two callers never both get the last seat. The constraint seats_never_oversold is the second line of
-- defence.
--
-- Seats are not added ahead of the waitlist. The check is repeated here, because somebody may have joined the waitlist
-- while the caller waited for the row.
--
-- A booking that is counted after its event was cancelled or deleted is refused here.
--
-- Always returns true: assigning the result costs a tenth of a statement that discards it.
--
-- Refuses: 409 sold_out, if the seats are not free or others wait for them; 409 event_not_bookable;
-- 404 event_not_found.

create or replace function events.adjust_inventory(event_id uuid, taken integer, held integer, waitlisted integer)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Most changes are sold seats. A shorter statement serves them, because concurrent bookings wait meanwhile.
    if adjust_inventory.taken > 0 and adjust_inventory.held = 0 and adjust_inventory.waitlisted = 0 then
        update events.inventory as i
        set taken = i.taken + adjust_inventory.taken
        where
            i.event_id = adjust_inventory.event_id
            and not i.closed
            and (i.capacity is null or i.taken + i.held + adjust_inventory.taken <= i.capacity)
            and (i.waitlisted = 0 or events.may_skip_waitlist(i.event_id));
    else
        update events.inventory as i
        set
            taken = i.taken + adjust_inventory.taken,
            held = i.held + adjust_inventory.held,
            waitlisted = i.waitlisted + adjust_inventory.waitlisted
        where
            i.event_id = adjust_inventory.event_id
            and (
                adjust_inventory.taken + adjust_inventory.held + adjust_inventory.waitlisted <= 0
                or (
                    not i.closed
                    and (
                        adjust_inventory.taken + adjust_inventory.held <= 0
                        or (
                            (
                                i.capacity is null
                                or i.taken + i.held + adjust_inventory.taken + adjust_inventory.held <= i.capacity
                            )
                            and (i.waitlisted = 0 or events.may_skip_waitlist(i.event_id))
                        )
                    )
                )
            );
    end if;

    if found then
        return true;
    end if;

    if not exists (select from events.inventory as i where i.event_id = adjust_inventory.event_id) then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

    if exists (select from events.inventory as i where i.event_id = adjust_inventory.event_id and i.closed) then
        raise exception using errcode = 'PT409', message = 'event_not_bookable',
            detail = jsonb_build_object('status', 'cancelled')::text;
    end if;
    perform events.refuse_sold_out(adjust_inventory.event_id);
    return false;
end;
$$;

comment on function events.adjust_inventory(uuid, integer, integer, integer) is
'Adjust an event''s counters, never beyond its capacity. For the counting triggers only.';
