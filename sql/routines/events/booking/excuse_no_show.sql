-- events.excuse_no_show: record an excuse of a customer who did not come: the no-show costs no fee and does not count.
--
-- For front desk, editors, admins and owners. A fee that was charged is reversed (events.apply_attendance). A repeated
-- call returns the same response. Locks the event's inventory, then the customer's wallet. The response names the
-- customer, so the access log records it.
--
-- Refuses: 403 forbidden, 404 booking_not_found, 409 not_a_no_show.

create or replace function events.excuse_no_show(booking_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    is_own boolean;
begin
    -- Read the booking and the caller's right to it, lock the event, and read both again: they may have changed while
    -- this waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        select b.* into the_booking from events.bookings as b where b.id = excuse_no_show.booking_id;
        if not found or not events.is_staff(the_booking.organization_id) then
            is_own := the_booking.customer_id = ops.caller_id();
            raise exception using
                errcode = case when is_own then 'PT403' else 'PT404' end,
                message = case when is_own then 'forbidden' else 'booking_not_found' end;
        end if;
    end loop;

    if the_booking.status <> 'no_show' then
        raise exception using errcode = 'PT409', message = 'not_a_no_show',
            detail = jsonb_build_object('status', the_booking.status)::text;
    end if;

    the_booking := events.apply_attendance(the_booking, attended => false, waive => true);
    update events.bookings as b
    set excused = true
    where b.id = the_booking.id and not b.excused;

    perform ops.add_accesses(
        operation => 'attendance',
        read => jsonb_build_array(jsonb_build_object(
            'organization_id', the_booking.organization_id, 'person', the_booking.customer_id, 'rows', 1
        )),
        event_id => the_booking.event_id
    );
    return events.attendance_answer(the_booking);
end;
$$;

comment on function events.excuse_no_show(uuid) is
'Excuse a customer who did not come: the no-show costs no fee and does not count. Returns the booking.';

grant execute on function events.excuse_no_show(uuid) to authenticated, service_role;
