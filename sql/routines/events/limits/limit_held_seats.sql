-- events.limit_held_seats: refuse to hold more unbooked seats than allowed, or to hold seats again too soon.
--
-- A person's maximum covers the seats of their holds, offers and unpaid bookings at all events, if they made them.
-- Seats that an organization's staff hold for them count at that organization only. So no organization uses up a
-- person's limit elsewhere. A member of staff has a separate maximum in each organization. An offer does not count
-- against an unpaid booking (`payment`), so it does not stop its customer from paying by card.
--
-- After holding seats without using them, a person waits before holding again (events.hold_again_at). Staff do not
-- wait.
--
-- The caller holds the locks of the customer and of `held_by` (events.lock_people). Internal: runs with the rights of
-- the routine that calls it.
--
-- Refuses: 409 hold_again_later, 409 too_many_held.

create or replace function events.limit_held_seats(
    terms events.terms, customer_id uuid, seats integer, held_by uuid, purpose events.hold_purpose
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_own boolean := limit_held_seats.held_by is not distinct from limit_held_seats.customer_id;
    seats_max integer := ops.limit_value('held_seats_per_person');
    seats_held integer;
begin
    if is_own then
        perform events.refuse_repeated_hold(
            (limit_held_seats.terms).event_id, limit_held_seats.customer_id, limit_held_seats.purpose
        );
    end if;

    select coalesce(sum(h.seats), 0) into seats_held
    from events.holds as h
    inner join events.terms as t on t.event_id = h.event_id
    where
        h.customer_id = limit_held_seats.customer_id
        and h.status = 'active'
        and h.expires_at > statement_timestamp()
        and (h.purpose <> 'offer' or limit_held_seats.purpose <> 'payment')
        and (
            t.organization_id = (limit_held_seats.terms).organization_id
            or (is_own and h.held_by = h.customer_id)
        );

    if not is_own and seats_held + limit_held_seats.seats <= coalesce(seats_max, 2147483647) then
        seats_max := ops.limit_value('held_seats_per_staff_member');

        select coalesce(sum(h.seats), 0) into seats_held
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where
            h.held_by = limit_held_seats.held_by
            and h.held_by <> h.customer_id
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
            and t.organization_id = (limit_held_seats.terms).organization_id;
    end if;

    if seats_held + limit_held_seats.seats > seats_max then
        raise exception using errcode = 'PT409', message = 'too_many_held',
            detail = jsonb_build_object(
                'seats_held', seats_held, 'seats_max', seats_max, 'seats_left', greatest(seats_max - seats_held, 0)
            )::text;
    end if;
end;
$$;

comment on function events.limit_held_seats(events.terms, uuid, integer, uuid, events.hold_purpose) is
'Refuse to hold more unbooked seats than allowed, or to hold seats again too soon.';
