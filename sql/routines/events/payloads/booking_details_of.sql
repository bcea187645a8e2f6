-- events.booking_details_of: return a booking with its reason and its event, as GET /bookings/{id} does.
--
-- For a message that is being sent: it names no caller, so the routine reads as the owner. Internal.

create or replace function events.booking_details_of(booking_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(b)
    from events.booking_details as b
    where b.id = booking_details_of.booking_id;
$$;

comment on function events.booking_details_of(uuid) is
'Return a booking with its reason and its event, as GET /bookings/{id} does.';
