-- events.offer_seats: offer an event's free seats to its waitlist, strictly in order.
--
-- Each offer is a hold with a window, so one seat is offered to one person. Offers stop at the first entry that wants
-- more seats than are free: nobody overtakes. The free seats are those set aside for the waitlist and those on sale.
-- Nothing is offered before sales open and after the waitlist has ended (events.offers_are_open).
--
-- An entry for more seats than the event has can never be served. It leaves the waitlist with a message.
--
-- Seats that expired with a person's hold are not offered back to them at once. An entry whose turn comes while its
-- person may not hold again (events.hold_again_at) leaves the waitlist. The next entry gets the seats, or anyone may
-- book them, including that person. Entries that staff made are not affected.
--
-- Locks the event's inventory. Returns the number of offers. Safe to repeat: seats with an open offer are not free.

create or replace function events.offer_seats(event_id uuid, at timestamptz default statement_timestamp())
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_inventory events.inventory := events.lock_inventory(offer_seats.event_id);
    the_terms events.terms;
    offer_minutes integer;
    seats_free integer := the_inventory.capacity - the_inventory.taken - the_inventory.held;
    next_entry events.waitlist_entries;
    the_hold_id uuid;
    the_expiry timestamptz;
    offers_made integer := 0;
begin
    if the_inventory.waitlisted = 0 then
        return 0;
    end if;

    select t.* into the_terms from events.terms as t where t.event_id = offer_seats.event_id;
    for next_entry in
        select w.*
        from events.waitlist_entries as w
        where
            w.event_id = offer_seats.event_id and w.status = 'waiting' and w.seats > the_inventory.capacity
        order by w.place
    loop
        perform events.expire_entry(
            next_entry, the_terms.organization_id,
            format(
                'You asked for %s seats, but the event has only %s. Ask for fewer.',
                next_entry.seats, the_inventory.capacity
            )
        );
    end loop;

    if
        seats_free <= 0
        or events.offers_are_open(the_terms, offer_seats.at) is not true
    then
        return 0;
    end if;

    select o.offer_minutes into offer_minutes
    from organizations.organizations as o
    where o.id = the_terms.organization_id;

    -- An offer ends at the latest when sales close, because nobody could accept it later.
    the_expiry := least(
        offer_seats.at + make_interval(mins => offer_minutes), events.sales_end_at(the_terms, for_staff => false)
    );

    loop
        select w.* into next_entry
        from events.waitlist_entries as w
        where w.event_id = offer_seats.event_id and w.status = 'waiting'
        order by w.place
        limit 1;

        exit when not found or (seats_free is not null and next_entry.seats > seats_free);

        if
            next_entry.joined_by = next_entry.customer_id
            and events.hold_again_at(offer_seats.event_id, next_entry.customer_id, 'offer', offer_seats.at)
            > offer_seats.at
        then
            perform events.expire_entry(
                next_entry, the_terms.organization_id,
                'Seats that you did not use became free. Book them, or join again later.'
            );
            continue;
        end if;

        insert into events.holds (event_id, customer_id, seats, purpose, expires_at, held_by)
        values (
            offer_seats.event_id, next_entry.customer_id, next_entry.seats, 'offer', the_expiry, next_entry.joined_by
        )
        returning id into the_hold_id;

        update events.waitlist_entries as w
        set
            status = 'offered',
            status_reason = 'A seat became free.',
            hold_id = the_hold_id,
            offered_at = offer_seats.at,
            offer_expires_at = the_expiry
        where w.id = next_entry.id
        returning w.* into next_entry;

        insert into public.outbox (topic, key, payload)
        values (
            'waitlist.offered', offer_seats.event_id::text,
            events.waitlist_payload(next_entry, the_terms.organization_id)
        );

        seats_free := seats_free - next_entry.seats;
        offers_made := offers_made + 1;
        exit when seats_free <= 0;
    end loop;

    return offers_made;
end;
$$;

comment on function events.offer_seats(uuid, timestamptz) is
'Offer free seats to the waitlist in order. Returns the number of offers.';
