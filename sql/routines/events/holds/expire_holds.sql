-- events.expire_holds: expire overdue holds, unpaid bookings and offers of all events, and offer their seats to the
-- waitlists.
--
-- One bounded piece of work: the events with the oldest overdue holds, in id order, without events that another
-- transaction has locked. Also closes waitlist entries of events that have started. For the service only. Returns
-- counts and whether more remains.

create or replace function events.expire_holds(at timestamptz default statement_timestamp(), most integer default 100)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    event_ids uuid[];
    the_event_id uuid;
    holds_expired integer := 0;
    waits_ended integer;
begin
    select array_agg(i.event_id order by i.event_id) into event_ids
    from (
        select i.event_id
        from events.inventory as i
        where i.event_id in (
            select d.event_id
            from (
                select h.event_id, h.expires_at
                from events.holds as h
                where h.status = 'active' and h.expires_at <= expire_holds.at
                order by h.expires_at
                limit expire_holds.most
            ) as d
        )
        order by i.event_id
        for no key update skip locked
    ) as i;

    foreach the_event_id in array coalesce(event_ids, '{}') loop
        holds_expired := holds_expired + events.expire_event_holds(the_event_id, expire_holds.at);
    end loop;

    waits_ended := events.expire_waitlist(expire_holds.at, expire_holds.most);

    return jsonb_build_object(
        'events', coalesce(cardinality(event_ids), 0),
        'holds_expired', holds_expired,
        'waits_ended', waits_ended,
        'more', exists (
            select
            from events.holds as h
            where h.status = 'active' and h.expires_at <= expire_holds.at
        ) or waits_ended >= expire_holds.most
    );
end;
$$;

comment on function events.expire_holds(timestamptz, integer) is
'Expire overdue holds and offers, and offer their seats. A bounded piece of work for the schedule.';

grant execute on function events.expire_holds(timestamptz, integer) to service_role;
