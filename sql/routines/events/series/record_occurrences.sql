-- events.record_occurrences: create the missing events of series for the given occurrences, each once.
--
-- `slice` is a list of {"series_id", "occurrences": [{"local_start", "starts_at"}, …]}: all occurrences of these series
-- up to and including the local date `until`. The server computes the starts, so that they agree with all displays.
-- Set-based: a few statements for all series. Locks the series in id order.
--
-- An occurrence that has an event keeps it, so concurrent generators create no duplicates. Skips occurrences in the
-- past, outside a series' dates or in a closed time; waits for closures. Skips series that are not active, and those of
-- organizations that are archived or whose staff the caller is not. Returns the number of new events.
--
-- A double booking is refused if the organization refuses them, except in the daily job (events.series_to_extend).
--
-- Refuses: 409 double_booked.

create or replace function events.record_occurrences(slice jsonb, until date)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    running uuid[];
    event_ids uuid[];
begin
    perform users.refuse_erased();
    perform
    from events.series as s
    where
        s.id in (select g.series_id from jsonb_to_recordset(slice) as g (series_id uuid))
        and s.status = 'active'
    order by s.id
    for no key update;

    -- A separate statement, because the series or the caller's role may have changed while this waited.
    select array_agg(s.id) into running
    from events.series as s
    inner join organizations.organizations as o on o.id = s.organization_id and o.archived_at is null
    where
        s.id in (select g.series_id from jsonb_to_recordset(slice) as g (series_id uuid))
        and s.status = 'active'
        and organizations.caller_is(s.organization_id, 'editor', 'admin', 'owner');

    if running is null then
        return 0;
    end if;

    perform events.lock_closures(
        array(select s.organization_id from events.series as s where s.id = any (running))
    );

    with wanted as (
        select
            s.id as series_id,
            o.local_start,
            n.starts_at
        from jsonb_to_recordset(slice) as g (series_id uuid, occurrences jsonb)
        inner join events.series as s on s.id = g.series_id
        cross join jsonb_to_recordset(g.occurrences) as o (local_start timestamp)
        cross join lateral (select ops.local_instant(o.local_start, s.time_zone) as starts_at) as n
        where
            s.id = any (running)
            and n.starts_at > statement_timestamp()
            and o.local_start::date >= s.start_date
            and (s.end_date is null or o.local_start::date <= s.end_date)
            and events.closure_of(
                s.organization_id, s.location_id, s.room_id, n.starts_at,
                n.starts_at + make_interval(mins => s.duration_minutes)
            ) is null
    ),
    new_occurrences as (
        insert into events.occurrences (series_id, local_start, event_id)
        select w.series_id, w.local_start, ops.uuid_v7()
        from wanted as w
        order by w.series_id, w.local_start
        on conflict do nothing
        returning series_id, local_start, event_id
    ),
    policies as materialized (
        select s.id as series_id, events.policy_snapshot(s.policy_id) as policy
        from events.series as s
        where s.id = any (running)
    ),
    new_events as (
        insert into events.events (
            id, starts_at, ends_at, organization_id, series_id, title, description, category, language, time_zone,
            price_cents, currency, location_id, room_id, instructor_id, resource_ids, policy, visibility, status
        )
        select
            o.event_id, w.starts_at, w.starts_at + make_interval(mins => s.duration_minutes), s.organization_id, s.id,
            s.title, s.description, s.category, s.language, s.time_zone, s.price_cents, s.currency, s.location_id,
            s.room_id, s.instructor_id, s.resource_ids, p.policy, s.visibility, 'scheduled'
        from new_occurrences as o
        inner join wanted as w on w.series_id = o.series_id and w.local_start = o.local_start
        inner join events.series as s on s.id = o.series_id
        inner join policies as p on p.series_id = o.series_id
        returning id
    )
    select array_agg(n.id) into event_ids
    from new_events as n;

    insert into events.inventory (event_id, capacity)
    select o.event_id, s.capacity
    from events.occurrences as o
    inner join events.series as s on s.id = o.series_id
    where o.event_id = any (event_ids);

    update events.series as s
    set generated_until = greatest(s.generated_until, record_occurrences.until)
    where s.id = any (running);

    return coalesce(cardinality(event_ids), 0);
end;
$$;

comment on function events.record_occurrences(jsonb, date) is
'Create the missing events of series for the given occurrences. Returns the number of new events.';

grant execute on function events.record_occurrences(jsonb, date) to authenticated, service_role;
