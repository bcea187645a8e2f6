-- ops.add_accesses: record in the access log that the caller read other people's personal data.
--
-- `read` is a list of {organization_id, person, rows}: the number of returned rows about that person. An item without
-- `person` counts rows about people whom they do not identify. The statement that reads also calls this routine, so the
-- read and its record commit together, and a read that cannot be recorded fails. Reads of the caller's own data are not
-- recorded. Adds one row for each organization. Locks nothing.
--
-- The session's role decides whether the service reads, not the claims. A service session that claims to be a person is
-- recorded as the service, and a person who claims to be the service is recorded as the person.
--
-- Internal: for routines that have checked the organization themselves. Statements of a session call ops.record_access,
-- which checks it.
--
-- Refuses: 401 unauthenticated, 422 invalid_request.

create or replace function ops.add_accesses(operation text, read jsonb, event_id uuid default null)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    is_service boolean := ops.caller_is_service() or current_setting('role') = 'service_role';
    the_caller_id uuid := case when not is_service then ops.caller_id() end;
begin
    if the_caller_id is null and not is_service then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if
        add_accesses.operation is null
        or add_accesses.operation !~ '^[a-z][a-z_]{0,63}$'
        or exists (
            select
            from jsonb_to_recordset(add_accesses.read) as r (rows bigint)
            where (r.rows > 0) is not true
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

    insert into ops.access_log (
        organization_id, caller_id, caller_role, operation, event_id, people, row_count, request_id
    )
    select
        r.organization_id,
        the_caller_id,
        case when is_service then 'service_role' else 'authenticated' end,
        add_accesses.operation,
        add_accesses.event_id,
        coalesce(array_agg(distinct r.person) filter (where r.person is not null), '{}'),
        sum(r.rows),
        left(ops.claims() ->> 'correlation_id', 200)
    from jsonb_to_recordset(add_accesses.read) as r (organization_id uuid, person text, rows bigint)
    where r.person is null or r.person is distinct from the_caller_id::text
    group by r.organization_id;
end;
$$;

comment on function ops.add_accesses(text, jsonb, uuid) is
'Record in the access log that the caller read other people''s personal data.';
