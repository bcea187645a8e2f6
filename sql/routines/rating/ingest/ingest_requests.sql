-- rating.ingest_requests: write the rating events of many queued requests, in one transaction.
--
-- `requests` is an array of {"request_id", "part", "parts", "organization_id", "caller_id"?, "role", "events"}. Stores
-- the results of the events in rating.requests, in the form of rating.ingest. A stored part has no effect again.
-- Neither does a part that arrives twice at once, because its events are known by their keys. If rating.ingest would
-- refuse a part, all its events are refused.
--
-- Returns, in order, {"request_id", "part", "status": "written" | "repeated", "accepted", "duplicates", "refused"}.
-- Locks like rating.write_events, then parts in order.
--
-- For the service, whose statement about the caller is trusted. Requests are taken apart without decoding their
-- strings, so a string that the database cannot store affects only its own event.

create or replace function rating.ingest_requests(requests json)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
begin
    with given as materialized (
        select
            r.place::integer as place,
            q.request_id,
            q.part,
            q.parts,
            q.organization_id,
            q.caller_id,
            q.role,
            rating.unescape_unicode(q.events) as events
        from json_array_elements(ingest_requests.requests) with ordinality as r (request, place)
        cross join lateral json_to_record(rating.escape_unicode(r.request)) as q (
            request_id uuid, part integer, parts integer, organization_id uuid, caller_id uuid, role text, events json
        )
    ),

    judged as materialized (
        select
            g.*,
            exists (
                select from rating.requests as k where k.request_id = g.request_id and k.part = g.part
            ) as repeated,
            case
                when users.is_erased(g.caller_id) then 'forbidden'
                when json_typeof(g.events) is distinct from 'array' then 'invalid_request'
                when json_array_length(g.events) > 500 then 'invalid_request'
                when not exists (select from organizations.organizations as o where o.id = g.organization_id)
                    then 'organization_not_found'
            end as refusal
        from given as g
    ),

    written as materialized (
        select w.*
        from rating.write_events(array(
            select row(j.place, j.organization_id, j.caller_id, j.role = 'service_role', j.events)::rating.ingestion
            from judged as j
            where j.refusal is null and not j.repeated
        )) as w
    ),

    refused as materialized (
        select
            j.place as number,
            count(*) as refused,
            jsonb_agg(
                jsonb_build_object('index', e.index, 'key', null, 'status', 'refused', 'code', j.refusal)
                order by e.index
            ) as results
        from judged as j
        cross join lateral generate_series(
            0, case when json_typeof(j.events) = 'array' then json_array_length(j.events) else 1 end - 1
        ) as e (index)
        where j.refusal is not null and not j.repeated
        group by j.place
    ),

    done as materialized (
        select
            j.*,
            coalesce(w.accepted, 0) as accepted,
            coalesce(w.duplicates, 0) as duplicates,
            coalesce(w.refused, r.refused, 0) as refused,
            coalesce(w.results, r.results, '[]') as results
        from judged as j
        left join written as w on w.number = j.place
        left join refused as r on r.number = j.place
    ),

    kept as (
        insert into rating.requests (request_id, part, parts, organization_id, caller_id, results)
        select d.request_id, d.part, d.parts, d.organization_id, d.caller_id, d.results
        from done as d
        where not d.repeated
        order by d.request_id, d.part, d.place
        on conflict on constraint requests_pkey do nothing
    )

    select jsonb_agg(
        jsonb_build_object(
            'request_id', d.request_id,
            'part', d.part,
            'status', case when d.repeated then 'repeated' else 'written' end,
            'accepted', d.accepted,
            'duplicates', d.duplicates,
            'refused', d.refused
        )
        order by d.place
    )
    into answer
    from done as d;

    return coalesce(answer, '[]');
end;
$$;

comment on function rating.ingest_requests(json) is
'Write the rating events of many queued requests at once, and store the results of each.';

grant execute on function rating.ingest_requests(json) to service_role;
