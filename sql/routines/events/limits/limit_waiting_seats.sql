-- events.limit_waiting_seats: refuse to let a person wait for more seats than allowed, or for seats that they hold
-- themselves.
--
-- The waitlist cannot refuse an offer when seats become free, so this limit is checked when a person joins. It counts
-- the seats of entries that wait or have an offer. Entries that the person made count everywhere. Entries that staff
-- made count at their organization only, so no organization uses up a person's limit elsewhere.
--
-- A person with a hold or an unpaid booking of the event may not also wait: their own seats would be offered back to
-- them. After unused seats, they wait as long as before another hold (events.hold_again_at). Staff do not wait.
--
-- The caller holds the person's lock (events.lock_person). Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 409 already_held, 409 hold_again_later, 409 too_many_waiting_seats.

create or replace function events.limit_waiting_seats(
    terms events.terms, customer_id uuid, seats integer, joined_by uuid
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_own boolean := limit_waiting_seats.joined_by is not distinct from limit_waiting_seats.customer_id;
    the_hold events.holds;
    seats_max integer := ops.limit_value('waiting_seats_per_person');
    seats_waiting integer;
begin
    select h.* into the_hold
    from events.holds as h
    where
        h.customer_id = limit_waiting_seats.customer_id
        and h.event_id = (limit_waiting_seats.terms).event_id
        and h.status = 'active'
        and h.purpose <> 'offer'
    order by h.id
    limit 1;

    if found then
        raise exception using errcode = 'PT409', message = 'already_held',
            detail = jsonb_build_object('hold_id', the_hold.id, 'seats', the_hold.seats)::text;
    end if;

    if is_own then
        perform events.refuse_repeated_hold(
            (limit_waiting_seats.terms).event_id, limit_waiting_seats.customer_id, 'offer'
        );
    end if;

    select coalesce(sum(w.seats), 0) into seats_waiting
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    where
        w.customer_id = limit_waiting_seats.customer_id
        and w.status in ('waiting', 'offered')
        and (
            t.organization_id = (limit_waiting_seats.terms).organization_id
            or (is_own and w.joined_by = w.customer_id)
        );

    if seats_waiting + limit_waiting_seats.seats > seats_max then
        raise exception using errcode = 'PT409', message = 'too_many_waiting_seats',
            detail = jsonb_build_object(
                'seats_waiting', seats_waiting,
                'seats_max', seats_max,
                'seats_left', greatest(seats_max - seats_waiting, 0)
            )::text;
    end if;
end;
$$;

comment on function events.limit_waiting_seats(events.terms, uuid, integer, uuid) is
'Refuse to let a person wait for more seats than allowed, or for seats that they hold themselves.';
