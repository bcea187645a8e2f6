-- events.attendance_answer: return a booking as the responses to marks of attendance show it, with its names.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function events.attendance_answer(booking events.bookings)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', (attendance_answer.booking).id,
        'event_id', (attendance_answer.booking).event_id,
        'customer_id', (attendance_answer.booking).customer_id,
        'seats', (attendance_answer.booking).seats,
        'names', coalesce(
            (
                select to_jsonb(n.names)
                from events.booking_names as n
                where n.booking_id = (attendance_answer.booking).id
            ),
            '[]'
        ),
        'status', (attendance_answer.booking).status,
        'fee_cents', (attendance_answer.booking).fee_cents,
        'currency', (attendance_answer.booking).currency
    );
$$;

comment on function events.attendance_answer(events.bookings) is
'Return a booking as the responses to marks of attendance show it, with its names.';
