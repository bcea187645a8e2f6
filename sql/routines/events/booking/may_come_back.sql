-- events.may_come_back: whether a booking that was not paid in time can have its seats after all.
--
-- They must be free, the event still on, nobody waiting for them, and the customer still there, without another
-- booking of it and below the maximum of seats per person. The caller holds the person's and the event's lock.

create or replace function events.may_come_back(booking events.bookings)
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
            i.event_id = (may_come_back.booking).event_id
            and t.status = 'scheduled'
            and t.ends_at > statement_timestamp()
            and not exists (
                select
                from users.profiles as p
                where p.id = (may_come_back.booking).customer_id and p.erased_at is not null
            )
            and i.waitlisted = 0
            and (i.capacity is null or i.capacity - i.taken - i.held >= (may_come_back.booking).seats)
            and (
                -- Staff may have gone beyond the maximum.
                (may_come_back.booking).booked_by is distinct from (may_come_back.booking).customer_id
                or events.seats_left_for(
                    i.event_id, (may_come_back.booking).policy, (may_come_back.booking).customer_id,
                    case when (may_come_back.booking).guest then 'guest' else 'own' end
                ) >= (may_come_back.booking).seats
            )
            and (
                (may_come_back.booking).guest
                or not exists (
                    select
                    from events.bookings as b
                    where
                        b.event_id = i.event_id
                        and b.customer_id = (may_come_back.booking).customer_id
                        and not b.guest
                        and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
                )
            )
    );
$$;

comment on function events.may_come_back(events.bookings) is
'Whether a booking that was not paid in time can have its seats after all.';
