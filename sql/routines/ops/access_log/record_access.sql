-- ops.record_access: record that the caller reads personal data of others.
--
-- `read` is a list of {organization_id, person, rows}: how many rows of the answer are about a person; without a
-- person, rows that concern people and name none. Called in the statement that reads, so that a read and its record
-- commit together, and a read that cannot be recorded fails. What callers read of themselves is not recorded. Adds
-- one row for each organization. Locks nothing.

create or replace function ops.record_access(operation text, read jsonb, event_id uuid default null)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

comment on function ops.record_access(text, jsonb, uuid) is
'Record that the caller reads personal data of others; their own is not recorded.';

grant execute on function ops.record_access(text, jsonb, uuid) to authenticated, service_role;
