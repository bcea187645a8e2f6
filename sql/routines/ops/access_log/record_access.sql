-- ops.record_access: record that the caller reads personal data of others.
--
-- `read` is a list of {organization_id, person, rows}: how many rows of the answer are about a person; without a
-- person, rows that concern people and name none. Called in the statement that reads, so that a read and its record
-- commit together, and a read that cannot be recorded fails. What callers read of themselves is not recorded. Adds
-- one row for each organization. Locks nothing.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 422 invalid_request.

create or replace function ops.record_access(operation text, read jsonb, event_id uuid default null)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if
        record_access.operation is null
        or record_access.operation !~ '^[a-z][a-z_]{0,63}$'
        or exists (
            select
            from jsonb_to_recordset(record_access.read) as r (rows bigint)
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
        ops.caller_id(),
        coalesce(ops.claims() ->> 'role', 'authenticated'),
        record_access.operation,
        record_access.event_id,
        coalesce(array_agg(distinct r.person) filter (where r.person is not null), '{}'),
        sum(r.rows),
        left(ops.claims() ->> 'correlation_id', 200)
    from jsonb_to_recordset(record_access.read) as r (organization_id uuid, person text, rows bigint)
    where r.person is null or r.person is distinct from ops.caller_id()::text
    group by r.organization_id;
end;
$$;

comment on function ops.record_access(text, jsonb, uuid) is
'Record that the caller reads personal data of others; their own is not recorded.';

grant execute on function ops.record_access(text, jsonb, uuid) to authenticated, service_role;
