-- ops.complete_events: complete scheduled events that have ended.
--
-- Processes one bounded batch, the oldest first, and skips events that another transaction has locked. Locks events
-- and, through the trigger that copies them, their terms; never their seats. Also notes when unmarked bookings become
-- no-shows (events.mark_no_shows), by the event's policy and those of its bookings. Safe to repeat. Returns
-- {"completed", "more"}. For the service.

create or replace function ops.complete_events(
    at timestamptz default statement_timestamp(),
    most integer default 500
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    completed_ids uuid[];
    completed integer;
begin
    with due as materialized (
        select e.id, e.starts_at
        from events.events as e
        where e.status = 'scheduled' and e.ends_at <= complete_events.at
        order by e.ends_at, e.id
        limit complete_events.most
        for no key update skip locked
    ),

    done as (
        update events.events as e
        set status = 'completed', status_reason = 'It is over.', updated_at = complete_events.at
        from due as d
        where e.id = d.id and e.starts_at = d.starts_at
        returning e.id
    )

    select array_agg(d.id), count(*) into completed_ids, completed
    from done as d;

    -- A statement of its own, after the trigger has written the terms.
    update events.terms as t
    set no_shows_at = t.ends_at + make_interval(mins => m.minutes)
    from (
        select
            t.event_id,
            least(
                (t.policy ->> 'no_show_after_minutes')::integer,
                (
                    select min((b.policy ->> 'no_show_after_minutes')::integer)
                    from events.bookings as b
                    where b.event_id = t.event_id and b.status = 'confirmed'
                )
            ) as minutes
        from events.terms as t
        where t.event_id = any (completed_ids)
    ) as m
    where t.event_id = m.event_id and m.minutes is not null;

    return jsonb_build_object('completed', completed, 'more', completed = complete_events.most);
end;
$$;

comment on function ops.complete_events(timestamptz, integer) is
'Complete scheduled events that have ended; returns the number, and whether there may be more.';

grant execute on function ops.complete_events(timestamptz, integer) to service_role;
