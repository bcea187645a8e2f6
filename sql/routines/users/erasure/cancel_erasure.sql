-- users.cancel_erasure: cancel the scheduled erasure of the caller.
--
-- Waits for an erasure in progress: then the caller is refused.
--
-- Refuses: 403 forbidden, to an erased person; 404 erasure_not_requested.

create or replace function users.cancel_erasure()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.lock_person(ops.caller_id());
    perform users.refuse_erased();

    delete from users.erasure_requests as r
    where r.user_id = ops.caller_id();
    if not found then
        raise exception using errcode = 'PT404', message = 'erasure_not_requested';
    end if;
end;
$$;

comment on function users.cancel_erasure() is 'Cancel the scheduled erasure of the caller.';

grant execute on function users.cancel_erasure() to authenticated, service_role;
