-- events.promote_waitlists: offer free seats to the waitlists of all events.
--
-- Seats are offered in the transaction that frees them. This job covers the remaining cases: sales that open,
-- lengthened windows, and entries for more seats than their event has. One bounded piece of work: events in id order,
-- without events that another transaction has locked. For the service only.

create or replace function events.promote_waitlists(
    at timestamptz default statement_timestamp(), most integer default 100
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_event_id uuid;
    offers_made integer := 0;
begin
    for the_event_id in
        select i.event_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        cross join lateral (
            select w.seats
            from events.waitlist_entries as w
            where w.event_id = i.event_id and w.status = 'waiting'
            order by w.place
            limit 1
        ) as head
        where
            i.event_id in (select w.event_id from events.waitlist_entries as w where w.status = 'waiting')
            and i.waitlisted > 0
            and (
                i.capacity is null
                or i.capacity - i.taken - i.held >= head.seats
                or exists (
                    select
                    from events.waitlist_entries as w
                    where w.event_id = i.event_id and w.status = 'waiting' and w.seats > i.capacity
                )
            )
            and events.offers_are_open(t, promote_waitlists.at)
        order by i.event_id
        limit promote_waitlists.most
        for no key update of i skip locked
    loop
        offers_made := offers_made + events.offer_seats(the_event_id, promote_waitlists.at);
    end loop;
    return jsonb_build_object('offers_made', offers_made);
end;
$$;

comment on function events.promote_waitlists(timestamptz, integer) is
'Offer free seats to all waitlists. A bounded piece of work for the schedule.';

grant execute on function events.promote_waitlists(timestamptz, integer) to service_role;
