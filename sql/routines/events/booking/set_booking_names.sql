-- events.set_booking_names: name the people who attend by a booking, or return their names.
--
-- For the customer, until the event ends, and for staff. `names` are at most as many as the seats; an empty list
-- deletes them, and null only reads. Names stay for 13 months, or until the customer is erased. Locks the event's
-- inventory to write. A repeated call returns the same response.
--
-- Refuses: 404 booking_not_found, 409 booking_not_confirmed, 409 too_many_names, 422 invalid_request.

create or replace function events.set_booking_names(booking_id uuid, names text[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
begin
    -- Read the booking and the caller's right to it, lock the event, and read both again: they may have changed while
    -- this waited for the lock.
    for reading in 1 .. case when set_booking_names.names is null then 1 else 2 end loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        perform users.refuse_erased();
        select b.* into the_booking from events.bookings as b where b.id = set_booking_names.booking_id;
        if
            not found
            or (the_booking.customer_id = ops.caller_id() or events.is_staff(the_booking.organization_id)) is not true
        then
            raise exception using errcode = 'PT404', message = 'booking_not_found';
        end if;
    end loop;

    if set_booking_names.names is not null then
        if the_booking.status not in ('pending_payment', 'confirmed', 'attended', 'no_show') then
            raise exception using errcode = 'PT409', message = 'booking_not_confirmed',
                detail = jsonb_build_object('status', the_booking.status)::text;
        end if;
        if cardinality(set_booking_names.names) > the_booking.seats then
            raise exception using errcode = 'PT409', message = 'too_many_names',
                detail = jsonb_build_object('seats', the_booking.seats)::text;
        end if;
        if
            array_position(set_booking_names.names, null) is not null
            or length(array_to_string(set_booking_names.names, '')) > 4000
            or not ops.is_line(array_to_string(set_booking_names.names, ' '))
        then
            raise exception using errcode = 'PT422', message = 'invalid_request',
                detail = jsonb_build_object('detail', '`names` must be names of one line each.')::text;
        end if;

        if set_booking_names.names = '{}' then
            delete from events.booking_names as n
            where n.booking_id = the_booking.id;
        else
            insert into events.booking_names as n (booking_id, names)
            values (the_booking.id, set_booking_names.names)
            on conflict on constraint one_list_of_names do update
            set names = excluded.names, written_at = excluded.written_at;
        end if;
    end if;

    return jsonb_build_object(
        'booking_id', the_booking.id,
        'event_id', the_booking.event_id,
        'customer_id', the_booking.customer_id,
        'seats', the_booking.seats,
        'names', coalesce(
            (select to_jsonb(n.names) from events.booking_names as n where n.booking_id = the_booking.id), '[]'
        )
    );
end;
$$;

comment on function events.set_booking_names(uuid, text[]) is
'Name the people who attend by a booking, or return their names.';

grant execute on function events.set_booking_names(uuid, text[]) to authenticated, service_role;
