-- ops.list_accesses: list the reads of personal data of an organization's people, the newest first.
--
-- For admins and owners of the organization that the token names. The service sees all organizations, or the one that
-- its token names. `person` limits the list to reads whose rows were about that person. Returns one page, which starts
-- before the place (`before_at`, `before_id`). Reading the log is also recorded in it.
--
-- Refuses: 403 forbidden.

create or replace function ops.list_accesses(
    person text default null, before_at timestamptz default null, before_id uuid default null, most integer default 100
)
returns table (
    id uuid,
    accessed_at timestamptz,
    organization_id uuid,
    operation text,
    caller_id uuid,
    caller_name text,
    caller_role text,
    event_id uuid,
    people text[],
    row_count bigint,
    request_id text
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization_id uuid := nullif(ops.claims() ->> 'org_id', '')::uuid;
    found_rows bigint;
begin
    if
        not ops.caller_is_service()
        and (
            the_organization_id is null
            or organizations.caller_is(the_organization_id, 'admin', 'owner') is not true
        )
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'A token for an organization (`org_id`) is required, and you must be its admin or owner.'
            )::text;
    end if;

    return query
    select
        a.id, a.accessed_at, a.organization_id, a.operation, a.caller_id, p.name, a.caller_role, a.event_id, a.people,
        a.row_count, a.request_id
    from ops.access_log as a
    left join users.profiles as p on p.id = a.caller_id
    where
        (the_organization_id is null or a.organization_id = the_organization_id)
        and (list_accesses.person is null or a.people @> array[list_accesses.person])
        and (
            list_accesses.before_at is null
            or (a.accessed_at, a.id) < (list_accesses.before_at, list_accesses.before_id)
        )
    order by a.accessed_at desc, a.id desc
    limit least(list_accesses.most, 200);
    get diagnostics found_rows = row_count;

    if found_rows > 0 then
        perform ops.add_accesses(
            operation => 'access_log',
            read => jsonb_build_array(jsonb_build_object(
                'organization_id', the_organization_id, 'person', list_accesses.person, 'rows', found_rows
            ))
        );
    end if;
end;
$$;

comment on function ops.list_accesses(text, timestamptz, uuid, integer) is
'List the reads of personal data of an organization''s people, the newest first.';

grant execute on function ops.list_accesses(text, timestamptz, uuid, integer) to authenticated, service_role;
