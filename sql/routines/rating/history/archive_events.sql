-- rating.archive_events: move old months of rating events to the archive.
--
-- Partitions of votes, sliders and fires that ended by `before` (default: a year ago) are detached and moved unchanged
-- to the schema rating_archive, where rating.reset_ratings reads them. Statistics stay, because they are running sums
-- and not computed from stored events.
--
-- A month stays while the inbox contains an event of it or of an earlier month. If locking a month takes longer than
-- lock_timeout, it and the later months of its table stay. One run at a time. Locks a partition against writers before
-- it checks the inbox, so that no event is missed.
--
-- Returns {"archived": […], "kept": […]}.

create or replace function rating.archive_events(
    before timestamptz default null,
    at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set timezone = 'UTC'
as $$
declare
    old record;
    busy regclass[] := '{}';
    archived text[] := '{}';
    kept text[] := '{}';
begin
    perform pg_advisory_xact_lock(hashtextextended('rating.archive_events', 0));

    for old in
        select t.parent, b.partition, b.ends_at
        from unnest('{rating.votes,rating.sliders,rating.fires}'::regclass[]) as t (parent)
        cross join lateral ops.partition_bounds(t.parent) as b
        where b.ends_at <= least(coalesce(archive_events.before, archive_events.at - interval '1 year'), archive_events.at)
        order by b.ends_at, t.parent
    loop
        if old.parent = any(busy) then
            kept := kept || old.partition::text;
            continue;
        end if;

        begin
            execute format('lock table %s in share mode', old.partition);
            if exists (select from rating.inbox as i where i.received_at < old.ends_at) then
                kept := kept || old.partition::text;
            else
                execute format('alter table %s detach partition %s', old.parent, old.partition);
                archived := archived || old.partition::text;
                execute format('alter table %s set schema rating_archive', old.partition);
            end if;
        exception
            when lock_not_available then
                busy := busy || old.parent;
                kept := kept || old.partition::text;
        end;
    end loop;

    return jsonb_build_object('archived', archived, 'kept', kept);
end;
$$;

comment on function rating.archive_events(timestamptz, timestamptz) is
'Move old months of counted rating events to the archive. Returns the archived and the kept partitions.';

grant execute on function rating.archive_events(timestamptz, timestamptz) to service_role;
