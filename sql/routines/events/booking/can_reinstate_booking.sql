-- events.can_reinstate_booking: return whether a booking that was not paid in time can get its seats back.
--
-- It can if the event is still to take place, the seats are on sale (events.seats_on_sale), and the customer's account
-- is not erased. The customer must have no other booking of the event and stay within the maximum of seats per person.
-- The caller holds the locks of the person and the event.

create or replace function events.can_reinstate_booking(booking events.bookings)
returns boolean
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where
            i.event_id = (can_reinstate_booking.booking).event_id
            and t.status = 'scheduled'
            and events.sales_end_at(t, for_staff => true) > statement_timestamp()
            and not exists (
                select
                from users.profiles as p
                where p.id = (can_reinstate_booking.booking).customer_id and p.erased_at is not null
            )
            and (events.seats_on_sale(i) < (can_reinstate_booking.booking).seats) is not true
            and (
                -- Staff may have exceeded the maximum.
                (can_reinstate_booking.booking).booked_by is distinct from (can_reinstate_booking.booking).customer_id
                or events.remaining_seats(
                    i.event_id, (can_reinstate_booking.booking).policy, (can_reinstate_booking.booking).customer_id,
                    case when (can_reinstate_booking.booking).guest then 'guest' else 'own' end
                ) >= (can_reinstate_booking.booking).seats
            )
            and (
                (can_reinstate_booking.booking).guest
                or not exists (
                    select
                    from events.bookings as b
                    where
                        b.event_id = i.event_id
                        and b.customer_id = (can_reinstate_booking.booking).customer_id
                        and not b.guest
                        and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
                )
            )
    );
$$;

comment on function events.can_reinstate_booking(events.bookings) is
'Return whether a booking that was not paid in time can get its seats back.';
