-- events.remaining_seats: return how many more seats a person may have at an event.
--
-- The maximum is the policy's seats_max_per_person, 20 for a policy from before there was one, at most the platform's
-- (ops.limits). Against it count live bookings, guest seats too, holds, unpaid bookings, offers and waits. For a
-- `guest` booking at least one seat counts as the person's own, so a booking of one seat for oneself always fits and
-- needs no look: see events.book. A booking for oneself (`own`) replaces a wait and an offer, which do not count.
--
-- `purpose` is own, guest, hold or wait. Exact only under events.lock_person. Internal: runs with the rights of the
-- routine that calls it. Its plan is kept, which that of an SQL function would not be.

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
                -- The person's bookings, never the event's, which the planner takes for as few.
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
        -- What is booked and not paid is held too, and counted as a booking.
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
