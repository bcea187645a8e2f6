-- events.limit_programme: refuse another series or single event of an organization that has the maximum number.
--
-- `kind` is series or event. Takes the programme's advisory lock of the organization until the transaction ends, so
-- that concurrent requests count one after the other. The service is not limited. Internal: runs with the rights of the
-- routine that calls it.
--
-- Refuses: 409 too_many_series, 409 too_many_events.

create or replace function events.limit_programme(organization_id uuid, kind text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    number_there bigint;
begin
    if ops.caller_is_service() then
        return;
    end if;
    perform pg_advisory_xact_lock(uuid_hash_extended(limit_programme.organization_id, 2));

    if limit_programme.kind = 'series' then
        select count(*) into number_there
        from events.series as s
        where s.organization_id = limit_programme.organization_id and s.status <> 'archived';

        if number_there >= ops.limit_value('series_per_organization') then
            raise exception using errcode = 'PT409', message = 'too_many_series',
                detail = jsonb_build_object('most', ops.limit_value('series_per_organization'))::text;
        end if;
        return;
    end if;

    select count(*) into number_there
    from events.events as e
    where
        e.organization_id = limit_programme.organization_id
        and e.starts_at > statement_timestamp()
        and e.series_id is null
        and e.status in ('draft', 'scheduled');

    if number_there >= ops.limit_value('events_per_organization') then
        raise exception using errcode = 'PT409', message = 'too_many_events',
            detail = jsonb_build_object('most', ops.limit_value('events_per_organization'))::text;
    end if;
end;
$$;

comment on function events.limit_programme(uuid, text) is
'Refuse another series or single event of an organization that has the maximum number.';
