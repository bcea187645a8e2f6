-- users.request_export: request a file with everything about the caller, at most once in 24 hours.
--
-- A repeated call within 24 hours changes nothing, unless the file could not be made. Creates a missing profile from
-- the claims. Locks the person, so that concurrent requests have one effect and an erasure leaves no row.
--
-- Refuses: 401 unauthenticated, 403 forbidden.

create or replace function users.request_export()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.own_profile();
    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    insert into users.exports (user_id)
    select ops.caller_id()
    where not exists (
        select
        from users.exports as e
        where
            e.user_id = ops.caller_id()
            and e.status <> 'failed'
            and (e.status = 'requested' or e.requested_at > statement_timestamp() - interval '24 hours')
    );
end;
$$;

comment on function users.request_export() is
'Request a file with everything about the caller, at most once in 24 hours.';

grant execute on function users.request_export() to authenticated, service_role;
