-- ops.record_access: record that a statement of the caller returns personal data of others.
--
-- `read` is as in ops.add_accesses, which adds the rows. A person may record reads only in organizations of which they
-- are a member, because the policies show other people's data to members only. So nobody can write into the log of an
-- unrelated organization. The caller's own data is not recorded and may belong to any organization. The service may
-- record reads in any organization.
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
    if
        not ops.caller_is_service()
        and current_setting('role') <> 'service_role'
        and exists (
            select
            from (
                select distinct r.organization_id
                from jsonb_to_recordset(record_access.read) as r (organization_id uuid, person text)
                where r.person is null or r.person is distinct from ops.caller_id()::text
            ) as o
            where
                o.organization_id is null
                or organizations.caller_is(
                    o.organization_id, variadic enum_range(null::organizations.member_role)
                ) is not true
        )
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only members of the organization can read its customers'' data.'
            )::text;
    end if;

    perform ops.add_accesses(record_access.operation, record_access.read, record_access.event_id);
end;
$$;

comment on function ops.record_access(text, jsonb, uuid) is
'Record that a statement of the caller returns personal data of others, in an organization of which they are a member.';

grant execute on function ops.record_access(text, jsonb, uuid) to authenticated, service_role;
