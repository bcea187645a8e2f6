-- events.hold_seats: hold seats for a customer while they decide.
--
-- A hold reserves seats like a booking, for the organization's online hold time, or its desk hold time if staff hold
-- for a customer. It keeps the seats' prices, and never outlives the end of sales. Locks the person, then the event's
-- inventory.
--
-- A customer with a hold, or an offer of the waitlist, keeps it, and its expiry. It changes to the given number of
-- seats. Further seats must be on sale and within the limits, and have the current price. The hold gives up the seats
-- with the highest prices, and they go to the waitlist. So a repeated call returns the existing hold. An offer takes in
-- the seats of the customer's other holds, which end, and the latest expiry of all.
--
-- A customer who waits then waits for the missing seats only, in the same place. Without missing seats the entry ends.
--
-- Refuses: as events.book does before payment; 409 hold_again_later, 409 price_changed, 409 too_many_held,
-- 409 too_many_no_shows, 409 too_many_seats, 422 invalid_request.

create or replace function events.hold_seats(
    event_id uuid, seats integer default 1, customer_id uuid default null, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
    the_customer_id uuid;
    the_hold events.holds;
    the_quote payments.quotes;
    the_purpose events.hold_purpose;
    the_entry events.waitlist_entries;
    seats_reserved integer;
    seats_merged integer;
    seats_more integer;
    seats_waited integer;
begin
    if (hold_seats.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

    the_terms := events.bookable_terms(hold_seats.event_id);
    the_customer_id := events.ensure_customer(
        ops.caller_id(), hold_seats.customer_id, the_terms.organization_id
    );
    the_purpose := case when the_customer_id is distinct from ops.caller_id() then 'desk' else 'online' end;
    perform events.lock_customer(the_customer_id, the_terms.organization_id, locks_caller => true);

    perform events.expire_event_holds(hold_seats.event_id);
    -- The terms and the caller's role may have changed while this waited for the locks.
    the_terms := events.bookable_terms(hold_seats.event_id);
    if the_customer_id is distinct from ops.caller_id() then
        perform events.ensure_customer(ops.caller_id(), the_customer_id, the_terms.organization_id);
    end if;

    select h.* into the_hold
    from events.holds as h
    where
        h.event_id = hold_seats.event_id
        and h.customer_id = the_customer_id
        and h.purpose <> 'payment'
        and h.status = 'active'
    order by h.purpose <> 'offer', h.id
    limit 1;
    seats_reserved := events.reserved_seats(hold_seats.event_id, the_customer_id);
    seats_merged := seats_reserved - coalesce(the_hold.seats, 0);
    seats_more := hold_seats.seats - seats_reserved;

    select w.* into the_entry
    from events.waitlist_entries as w
    where w.event_id = hold_seats.event_id and w.customer_id = the_customer_id and w.status = 'waiting';
    seats_waited := least(greatest(seats_more, 0), coalesce(the_entry.seats, 0));

    -- The event may be open only for the reserved seats (events.bookable_terms).
    if seats_more > 0 and not events.open_to_everybody(the_terms) then
        perform events.refuse_closed_event(the_terms);
    end if;
    if seats_more > 0 then
        perform events.limit_held_seats(the_terms, the_customer_id, seats_more, ops.caller_id(), the_purpose);
        if seats_more > seats_waited then
            perform events.limit_seats(the_terms, the_customer_id, seats_more - seats_waited, 'hold');
        end if;
        perform events.require_seats(the_terms, the_customer_id, seats_more, guest => false);
    end if;

    if the_hold.id is null then
        insert into events.holds (event_id, customer_id, seats, purpose, expires_at, held_by)
        select
            hold_seats.event_id, the_customer_id, hold_seats.seats, the_purpose,
            least(
                events.sales_end_at(the_terms, events.is_staff(the_terms.organization_id)),
                statement_timestamp() + make_interval(
                    mins => case when the_purpose = 'desk' then o.desk_hold_minutes else o.online_hold_minutes end
                )
            ),
            ops.caller_id()
        from organizations.organizations as o
        where o.id = the_terms.organization_id
        returning * into the_hold;
    elsif the_hold.seats <> hold_seats.seats or seats_merged > 0 then
        -- One statement, so that the seats are never free in between.
        with own as (
            select h.id, h.seat_prices_cents, h.expires_at
            from events.holds as h
            where
                h.event_id = hold_seats.event_id
                and h.customer_id = the_customer_id
                and h.purpose <> 'payment'
                and h.status = 'active'
        ),

        kept as (
            select array(
                select p.cents
                from (
                    select u.cents from own as o cross join lateral unnest(o.seat_prices_cents) as u (cents)
                    union all
                    select the_terms.price_cents from generate_series(1, seats_more)
                ) as p
                order by p.cents
                limit hold_seats.seats
            ) as prices,
            (select max(o.expires_at) from own as o) as expires_at
        )

        update events.holds as h
        set
            status = case when h.id = the_hold.id then h.status else 'consumed' end,
            seats = case when h.id = the_hold.id then hold_seats.seats else h.seats end,
            seat_prices_cents = case when h.id = the_hold.id then k.prices else h.seat_prices_cents end,
            expires_at = case
                when h.id = the_hold.id
                then greatest(h.expires_at, least(k.expires_at, events.sales_end_at(the_terms, for_staff => false)))
                else h.expires_at
            end
        from kept as k
        where h.id in (select o.id from own as o);

        select h.* into the_hold from events.holds as h where h.id = the_hold.id;
        update events.waitlist_entries as w
        set seats = the_hold.seats, offer_expires_at = the_hold.expires_at
        where w.hold_id = the_hold.id;
        if least(seats_merged, -seats_more) > 0 then
            -- Nothing books these seats of the consumed holds (events.count_holds).
            perform events.adjust_inventory(
                hold_seats.event_id, 0, 0, 0, least(seats_merged, -seats_more), the_customer_id
            );
        end if;
        perform events.offer_seats(hold_seats.event_id);
    end if;

    if seats_waited > 0 then
        if the_entry.seats > seats_waited then
            update events.waitlist_entries as w
            set seats = the_entry.seats - seats_waited
            where w.id = the_entry.id;
        else
            perform events.close_entry(the_entry, 'left', 'The customer holds the seats.');
        end if;
        perform events.offer_seats(hold_seats.event_id);
    end if;

    if hold_seats.total_cents is not null then
        the_quote := payments.quote_seats(
            the_terms, the_customer_id, the_hold.seats, list_cents => events.held_list_cents(the_hold)
        );
        perform payments.require_total(
            the_quote, hold_seats.total_cents,
            payments.payment_methods(the_quote, the_terms.event_id, hold_seats.seats)
        );
    end if;
    return events.hold_answer(the_hold, the_terms);
end;
$$;

comment on function events.hold_seats(uuid, integer, uuid, bigint) is
'Hold seats for a customer for some minutes. Returns the hold.';

grant execute on function events.hold_seats(uuid, integer, uuid, bigint) to authenticated, service_role;
