-- events.cancel_booking: cancel a booking and return its seats.
--
-- Customers cancel their own bookings until the event starts. Staff cancel any booking of their organization, and may
-- waive the cost of a late cancellation. The booking's own policy decides what is refunded (events.end_booking). In
-- this transaction the seats are offered to the waitlist. Locks the event's inventory. A repeated call returns the same
-- response.
--
-- Refuses: 403 forbidden, 404 booking_not_found, 409 event_begun, 409 invalid_transition, with the allowed states.

create or replace function events.cancel_booking(booking_id uuid, reason text default null, waive boolean default false)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    is_staff boolean;
    is_waived boolean := coalesce(cancel_booking.waive, false);
begin
    -- Read the booking and the caller's rights, lock the event, and read them again: they may have changed while this
    -- waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        perform users.refuse_erased();
        select b.* into the_booking
        from events.bookings as b
        where b.id = cancel_booking.booking_id;

        is_staff := found and events.is_staff(the_booking.organization_id);
        if the_booking.id is null or (the_booking.customer_id is distinct from ops.caller_id() and not is_staff) then
            raise exception using errcode = 'PT404', message = 'booking_not_found';
        end if;

        if is_waived and not is_staff then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may waive a fee. Omit `waive`.'
                )::text;
        end if;
    end loop;

    if the_booking.status not in ('cancelled', 'refunded') then
        select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;

        if the_terms.starts_at <= statement_timestamp() and not is_staff then
            raise exception using errcode = 'PT409', message = 'event_begun',
                detail = jsonb_build_object('starts_at', the_terms.starts_at)::text;
        end if;

        the_booking := events.end_booking(the_booking, cancel_booking.reason, is_waived);
        perform events.offer_seats(the_booking.event_id);
    end if;

    return events.booking_payload(the_booking) - 'organization_id'
    || jsonb_build_object('reason', the_booking.status_reason);
end;
$$;

comment on function events.cancel_booking(uuid, text, boolean) is
'Cancel a booking, and offer its seats to the waitlist. Returns the cancelled booking.';

grant execute on function events.cancel_booking(uuid, text, boolean) to authenticated, service_role;
