-- rating.archive_events: put months of events away that nobody looks at any more.
--
-- Partitions of votes, sliders and fires that ended by `before` (a year ago, if not said) are detached and moved, as
-- they are, to the schema rating_archive; rating.reset_ratings reads them there. What was counted of them stays:
-- counters are never made from events. A month stays where it is while any event of it, or of a month before it, is
-- still in the inbox, and all months of a table while somebody uses it for longer than writers may be kept waiting. One
-- run at a time. Locks a partition against writers before it looks, so that none slips in.
--
-- Answers {"archived": […], "kept": […]}.

create or replace function rating.archive_events(
    before timestamptz default statement_timestamp() - interval '1 year',
    at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
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
        where b.ends_at <= least(archive_events.before, archive_events.at)
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
'Move months of events that ended long ago, and are counted, to the archive; answers which.';

grant execute on function rating.archive_events(timestamptz, timestamptz) to service_role;
