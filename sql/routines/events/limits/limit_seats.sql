-- events.limit_seats: refuse more seats than one person may have at an event.
--
-- Staff of the organization, and the service, may exceed the maximum: a school class is booked under one name. The
-- caller holds the person's lock (events.lock_person). Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 too_many_seats, with seats_left, the number of seats that the person may still book.

create or replace function events.limit_seats(terms events.terms, customer_id uuid, seats integer, purpose text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    seats_left integer := events.remaining_seats(
        (limit_seats.terms).event_id, (limit_seats.terms).policy, limit_seats.customer_id, limit_seats.purpose
    );
begin
    if limit_seats.seats <= seats_left or events.is_staff((limit_seats.terms).organization_id) then
        return;
    end if;
    seats_left := greatest(seats_left, 0);

    raise exception using errcode = 'PT409', message = 'too_many_seats',
        detail = jsonb_build_object(
            'seats_left', seats_left,
            'detail', case
                when seats_left = 0
                    then 'You have as many seats of this event as one person may have. Ask the organizer for more.'
                else format(
                    'You may have %s more seats of this event. Ask for %s or fewer, or ask the organizer for more.',
                    seats_left, seats_left
                )
            end
        )::text;
end;
$$;

comment on function events.limit_seats(events.terms, uuid, integer, text) is
'Refuse more seats than one person may have at an event.';
