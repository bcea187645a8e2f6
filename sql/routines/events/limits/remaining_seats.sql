-- events.remaining_seats: return how many more seats a person may have at an event.
--
-- The maximum is the policy's seats_max_per_person (20 for older policies without it), at most the platform's
-- (ops.limits). Live bookings, guest seats, holds, unpaid bookings, offers and waitlist entries count against it. For a
-- `guest` booking at least one seat counts as the person's own. So a booking of one own seat always fits and needs no
-- check (events.book). A person's own booking (`own`) replaces their waitlist entry and offer, which do not count.
--
-- `purpose` is own, guest, hold or wait. The result is exact only under events.lock_person. Internal: runs with the
-- rights of the routine that calls it. It is written in PL/pgSQL, which caches the plan; an SQL function would not.

create or replace function events.remaining_seats(event_id uuid, policy jsonb, customer_id uuid, purpose text)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select (
            least(
                case
                    when remaining_seats.policy ? 'seats_max_per_person'
                        then (remaining_seats.policy ->> 'seats_max_per_person')::integer
                    else 20
                end,
                ops.limit_value('seats_per_person_and_event')
            )
            - b.guest_seats
            - case
                when remaining_seats.purpose = 'guest' then greatest(1, b.own_seats + h.seats + w.seats)
                else b.own_seats + h.seats + w.seats
            end
        )::integer
        from (
            select
                coalesce(sum(b.seats) filter (where b.guest), 0) as guest_seats,
                coalesce(sum(b.seats) filter (where not b.guest), 0) as own_seats
            from (
                -- `offset 0` makes the planner read the person's bookings. It would choose the event's bookings, which
                -- it estimates as equally few.
                select b.id, b.event_id, b.seats, b.guest, b.status
                from events.bookings as b
                where b.customer_id = remaining_seats.customer_id
                offset 0
            ) as b
            where
                b.event_id = remaining_seats.event_id
                and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
                and (b.guest or remaining_seats.purpose <> 'own')
        ) as b,
        -- An unpaid booking also has a hold, and is already counted as a booking.
        (
            select coalesce(sum(h.seats), 0) as seats
            from events.holds as h
            where
                h.customer_id = remaining_seats.customer_id
                and h.event_id = remaining_seats.event_id
                and h.status = 'active'
                and h.expires_at > statement_timestamp()
                and h.purpose <> 'payment'
                and (h.purpose <> 'offer' or remaining_seats.purpose <> 'own')
        ) as h,
        (
            select coalesce(sum(w.seats), 0) as seats
            from events.waitlist_entries as w
            where
                w.customer_id = remaining_seats.customer_id
                and w.event_id = remaining_seats.event_id
                and w.status = 'waiting'
                and remaining_seats.purpose <> 'own'
        ) as w
    );
end;
$$;

comment on function events.remaining_seats(uuid, jsonb, uuid, text) is
'Return how many more seats a person may have at an event.';
