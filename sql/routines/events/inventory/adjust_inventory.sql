-- events.adjust_inventory: the one place that changes an event's counters.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Called by the triggers that count bookings, holds and waitlist entries; events.count_booking adds the seats of a new
-- booking itself where they are to be had, and calls this where they are not. Locks the event's inventory row; the
-- check is part of the update, so two callers never both get the last seat, and seats_never_oversold stands behind it.
--
-- Seats are not added past those who wait: whoever looked whether anybody does may have waited for the row since.
--
-- Answers true, always: an assignment of the answer costs a tenth of a statement that drops it.
--
-- Whoever was on the way while the event was cancelled or deleted is told so here.
--
-- Refuses: 409 sold_out, when the seats are not there or others wait for them; 409 event_not_bookable;
-- 404 event_not_found.

create or replace function events.adjust_inventory(event_id uuid, taken integer, held integer, waitlisted integer)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Seats sold, which is what most changes are: the same in fewer words, for rivals wait meanwhile.
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
'Add to an event''s counters, never past its capacity. For the counting triggers only.';
