-- events.adjust_inventory: add to an event's counters, never past its capacity.
--
-- The triggers that count bookings, holds and waitlist entries call it. Apart from events.set_capacities it is the only
-- routine that changes the counters.
-- Locks the event's inventory row. The check is part of the update, so two callers never both get the last seat, and
-- the constraint seats_never_oversold is the second line of defence.
--
-- `set_aside` is the change of the seats that are set aside for the waitlist: positive for seats that become free,
-- negative for an offer, which uses them. Nothing is set aside if nobody waits afterwards. Only offers may take these
-- seats, until the waitlist has ended (events.may_take_set_aside). The caller's own look at the counters may be out of
-- date, because it may have waited for the row since. An event that was cancelled or deleted in the meantime refuses
-- here too. Returning seats is never refused.
--
-- `customer_id` is the person whose booking or hold is counted, for the refusal. Null: unknown.
--
-- Always returns true: an assignment costs a tenth of a statement that drops the result.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 sold_out, when too few seats are on sale; 409 event_not_bookable; 404 event_not_found.

create or replace function events.adjust_inventory(
    event_id uuid, taken integer, held integer, waitlisted integer, set_aside integer, customer_id uuid
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update events.inventory as i
    set
        taken = i.taken + adjust_inventory.taken,
        held = i.held + adjust_inventory.held,
        waitlisted = i.waitlisted + adjust_inventory.waitlisted,
        set_aside = case
            when i.waitlisted + adjust_inventory.waitlisted = 0 or i.capacity is null then 0
            else greatest(
                0,
                least(
                    i.set_aside + adjust_inventory.set_aside,
                    i.capacity - i.taken - i.held - adjust_inventory.taken - adjust_inventory.held
                )
            )
        end
    where
        i.event_id = adjust_inventory.event_id
        and (
            adjust_inventory.taken + adjust_inventory.held + adjust_inventory.waitlisted <= 0
            or (
                not i.closed
                and (
                    adjust_inventory.taken + adjust_inventory.held <= 0
                    or i.capacity is null
                    or i.taken + i.held + adjust_inventory.taken + adjust_inventory.held + i.set_aside <= i.capacity
                    or (
                        i.taken + i.held + adjust_inventory.taken + adjust_inventory.held <= i.capacity
                        and (adjust_inventory.set_aside < 0 or events.may_take_set_aside(i.event_id))
                    )
                )
            )
        );

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
    perform events.refuse_sold_out(
        adjust_inventory.event_id, adjust_inventory.customer_id, adjust_inventory.taken + adjust_inventory.held
    );
    return false;
end;
$$;

comment on function events.adjust_inventory(uuid, integer, integer, integer, integer, uuid) is
'Adjust an event''s counters, never beyond its capacity. For the counting triggers only.';
