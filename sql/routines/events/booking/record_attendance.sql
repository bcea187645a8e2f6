-- events.record_attendance: record that a customer attended an event or did not.
--
-- Staff, and the instructor who leads the event, may record it from one hour before the start. A no-show costs the fee
-- of the booking's policy, unless staff waive it, at once or later. The fee is charged once, and reversed if the record
-- is corrected. It is a mark of this moment (events.mark_attendance). Locks the event's inventory, then the customer's
-- wallet. A repeated call returns the same response. The response names the customer, so the access log records it.
--
-- Refuses: 403 forbidden, 404 booking_not_found, 409 too_early, 409 invalid_transition, with the allowed states;
-- 422 invalid_request.

create or replace function events.record_attendance(booking_id uuid, attended boolean, waive boolean default false)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
begin
    -- Read the booking and the caller's right to it, lock the event, and read both again: they may have changed while
    -- this waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        select b.* into the_booking
        from events.bookings as b
        where b.id = record_attendance.booking_id;

        if not found or not events.is_door_staff(the_booking.event_id) then
            raise exception using
                errcode = case when the_booking.customer_id = ops.caller_id() then 'PT403' else 'PT404' end,
                message = case
                    when the_booking.customer_id = ops.caller_id() then 'forbidden' else 'booking_not_found'
                end;
        end if;
        if record_attendance.attended is null then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object('detail', '`attended` must be true or false.')::text;
        end if;
    end loop;
    select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;

    if statement_timestamp() < the_terms.starts_at - interval '1 hour' then
        raise exception using errcode = 'PT409', message = 'too_early',
            detail = jsonb_build_object('from', the_terms.starts_at - interval '1 hour')::text;
    end if;

    the_booking := events.apply_attendance(the_booking, record_attendance.attended, record_attendance.waive);
    insert into events.attendance_marks (booking_id, attended, marked_at, key)
    values (the_booking.id, record_attendance.attended, clock_timestamp(), ops.uuid_v7()::text)
    on conflict on constraint one_mark_per_booking do update
    set attended = excluded.attended, marked_at = excluded.marked_at, key = excluded.key;

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

comment on function events.record_attendance(uuid, boolean, boolean) is
'Record that a customer attended an event or did not. Returns the booking.';

grant execute on function events.record_attendance(uuid, boolean, boolean) to authenticated, service_role;
