-- events.read_booking_details: return a booking with its reason and its event, as GET /bookings/{id} does.
--
-- For a message that is being sent: it names no caller, so the routine reads as the owner. In plpgsql, which keeps the
-- plan: planning a read of the partitioned events takes longer than the read. Internal.

create or replace function events.read_booking_details(booking_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select to_jsonb(b)
        from events.booking_details as b
        where b.id = read_booking_details.booking_id
    );
end;
$$;

comment on function events.read_booking_details(uuid) is
'Return a booking with its reason and its event, as GET /bookings/{id} does.';
