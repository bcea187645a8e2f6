-- events.hold_again_at: return when a person may hold seats of an event again, after seats that they did not use.
--
-- The pause lasts as long as the seats were held (hold_pause_percent), counted from their end. An expired hold always
-- counts. A released hold counts if more than hold_releases_per_hour holds ended within the hour, so one change of mind
-- is free. Holds, offers and unpaid bookings count if the person made them. For an unpaid booking (`payment`) only
-- unpaid bookings count, so an expired hold does not stop its customer from paying by card.
--
-- Returns null, or a time that may be past. Internal: runs with the rights of the routine that calls it.

create or replace function events.hold_again_at(
    event_id uuid, customer_id uuid, purpose events.hold_purpose, at timestamptz default statement_timestamp()
)
returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    pause_percent integer := coalesce(ops.limit_value('hold_pause_percent'), 0);
    releases_max integer := ops.limit_value('hold_releases_per_hour');
begin
    return (
        select max(h.ended_at + (h.ended_at - h.created_at) * (pause_percent / 100.0))
        from (
            select
                h.status,
                h.created_at,
                h.ended_at,
                count(*) filter (where h.ended_at > hold_again_at.at - interval '1 hour') over () as lately
            from events.holds as h
            where
                h.customer_id = hold_again_at.customer_id
                and h.event_id = hold_again_at.event_id
                and h.status in ('expired', 'released')
                and h.held_by = h.customer_id
                and (
                    h.purpose = 'payment'
                    or (h.purpose in ('online', 'offer') and hold_again_at.purpose <> 'payment')
                )
        ) as h
        where h.status = 'expired' or h.lately > releases_max
    );
end;
$$;

comment on function events.hold_again_at(uuid, uuid, events.hold_purpose, timestamptz) is
'Return when a person may hold seats of an event again, after seats that they did not use.';
