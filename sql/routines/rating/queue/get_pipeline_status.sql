-- rating.get_pipeline_status: return the status of the rating pipeline, for an organization or, for the service, for
-- all together.
--
-- `queued` items are to be counted or published. Of these, `in_work` are leased, `failing` wait after an error, and
-- `high_priority` have fires or super votes. `held_back` items are not among them: they wait for the end of a pause.
-- Batches serve all organizations, so members see only when they ran and how long. The service also sees their results.
--
-- Refuses: 401 unauthenticated; 403 forbidden, to callers who are not members.

create or replace function rating.get_pipeline_status(
    organization_id uuid default null,
    at timestamptz default statement_timestamp()
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    is_service boolean := ops.caller_is_service();
begin
    if ops.caller_id() is null and not is_service then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not is_service and get_pipeline_status.organization_id not in (select public.user_orgs()) is not false then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

    return (
        select jsonb_build_object(
            'queued', count(*) filter (where d.marked_at <= get_pipeline_status.at),
            'high_priority', count(*) filter (where d.marked_at <= get_pipeline_status.at and d.priority >= 10),
            'in_work', count(*) filter (where d.lease_until > get_pipeline_status.at),
            'failing', count(*) filter (where d.attempts > 0),
            'held_back', count(*) filter (where d.marked_at > get_pipeline_status.at),
            'oldest_seconds', coalesce(extract(epoch from get_pipeline_status.at - min(d.marked_at) filter (
                where d.marked_at <= get_pipeline_status.at
            )), 0)
        )
        from rating.dirty_items as d
        where
            get_pipeline_status.organization_id is null
            or d.organization_id = get_pipeline_status.organization_id
    ) || jsonb_build_object(
        'published', (
            select count(*)
            from rating.item_scores as s
            where
                get_pipeline_status.organization_id is null
                or s.organization_id = get_pipeline_status.organization_id
        ),
        'events_last_minute', (
            select coalesce(sum(e.votes + e.sliders + e.fires), 0)
            from organizations.organizations as o
            cross join lateral (
                select
                    (
                        select count(*)
                        from rating.votes as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as votes,
                    (
                        select count(*)
                        from rating.sliders as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as sliders,
                    (
                        select count(*)
                        from rating.fires as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as fires
            ) as e
            where
                get_pipeline_status.organization_id is null
                or o.id = get_pipeline_status.organization_id
        ),
        'batches', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'started_at', r.started_at,
                    'seconds', extract(epoch from r.finished_at - r.started_at),
                    'succeeded', r.succeeded
                ) || case
                    when is_service then jsonb_build_object('result', r.result, 'error', r.error)
                    else '{}'
                end
                order by r.id desc
            ), '[]')
            from (
                select j.*
                from ops.job_runs as j
                where j.job = 'process_ratings'
                order by j.id desc
                limit 10
            ) as r
        ),
        'last_calibration', (
            select to_jsonb(c) - '{id,organization_id,before,after}'::text[]
            from rating.calibrations as c
            where
                get_pipeline_status.organization_id is null
                or c.organization_id = get_pipeline_status.organization_id
            order by c.id desc
            limit 1
        )
    );
end;
$$;

comment on function rating.get_pipeline_status(uuid, timestamptz) is
'Return the number and age of waiting items, published scores, the last batches and the last calibration.';

grant execute on function rating.get_pipeline_status(uuid, timestamptz) to authenticated, service_role;
