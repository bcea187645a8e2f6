-- events.require_seats: refuse unless enough seats are free, after expiring overdue holds.
--
-- The slow path, when a look at the counters did not decide. Free seats are reserved for the waitlist while somebody
-- else waits in the first place: the first in the waitlist may take fewer seats than they wait for. If `customer_id` is
-- null, an existing booking is not reported. The caller holds the event's lock.
--
-- Refuses: 409 already_booked, 409 sold_out.

create or replace function events.require_seats(terms events.terms, customer_id uuid, seats integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from events.holds as h
        where
            h.event_id = (require_seats.terms).event_id
            and h.status = 'active'
            and h.expires_at <= statement_timestamp()
    ) then
        perform events.expire_event_holds((require_seats.terms).event_id);
    end if;

    if exists (
        select
        from events.inventory as i
        where
            i.event_id = (require_seats.terms).event_id
            and (i.capacity is null or i.capacity - i.taken - i.held >= require_seats.seats)
            and (
                i.waitlisted = 0
                or statement_timestamp() >= (require_seats.terms).last_offer_at
                or require_seats.customer_id = (
                    select w.customer_id
                    from events.waitlist_entries as w
                    where w.event_id = i.event_id and w.status = 'waiting'
                    order by w.place
                    limit 1
                )
            )
    ) then
        return;
    end if;

    if exists (
        select
        from events.bookings as b
        where
            b.event_id = (require_seats.terms).event_id
            and b.customer_id = require_seats.customer_id
            and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
    ) then
        perform events.refuse_already_booked((require_seats.terms).event_id, require_seats.customer_id);
    end if;
    perform events.refuse_sold_out((require_seats.terms).event_id);
end;
$$;

comment on function events.require_seats(events.terms, uuid, integer) is
'Refuse unless enough seats are free, after expiring overdue holds.';
