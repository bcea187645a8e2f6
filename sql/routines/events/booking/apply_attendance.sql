-- events.apply_attendance: set the attendance of a booking, and charge or reverse the fee for not attending.
--
-- The caller has checked the rights and holds the event's lock. Repeating it changes nothing. Locks the customer's
-- wallet. Internal. Returns the booking.
--
-- Refuses: 409 invalid_transition, with the allowed states.

create or replace function events.apply_attendance(booking events.bookings, attended boolean, waive boolean)
returns events.bookings
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings := apply_attendance.booking;
    the_status events.booking_status := case when apply_attendance.attended then 'attended' else 'no_show' end;
begin
    if the_booking.status = the_status and apply_attendance.waive and the_booking.fee_cents > 0 then
        update events.bookings as b
        set fee_cents = 0
        where b.id = the_booking.id
        returning b.* into the_booking;
        perform payments.reverse_fee(the_booking.id);
    end if;

    if the_booking.status <> the_status then
        update events.bookings as b
        set
            status = the_status,
            fee_cents = case
                when apply_attendance.attended or apply_attendance.waive then 0
                else coalesce((b.policy ->> 'no_show_fee_cents')::bigint, 0)
            end
        where b.id = the_booking.id
        returning b.* into the_booking;

        if the_booking.fee_cents > 0 then
            perform payments.charge_fee(the_booking);
        else
            perform payments.reverse_fee(the_booking.id);
        end if;

        insert into public.outbox (topic, key, payload)
        values (
            case when apply_attendance.attended then 'booking.attended' else 'booking.no_show' end,
            the_booking.event_id::text, events.booking_payload(the_booking)
        );
    end if;
    return the_booking;
end;
$$;

comment on function events.apply_attendance(events.bookings, boolean, boolean) is
'Set the attendance of a booking, and charge or reverse the fee for not attending.';
