-- events.refuse_already_booked: refuse because the customer has a booking of this event, and name it.
--
-- Refuses, always: 409 already_booked, with booking_id.

create or replace function events.refuse_already_booked(event_id uuid, customer_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT409', message = 'already_booked',
        detail = jsonb_build_object(
            'booking_id', (
                select b.id
                from events.bookings as b
                where
                    b.event_id = refuse_already_booked.event_id
                    and b.customer_id = refuse_already_booked.customer_id
                    and not b.guest
                    and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
            )
        )::text;
end;
$$;

comment on function events.refuse_already_booked(uuid, uuid) is
'Refuse with already_booked and the id of the existing booking.';
