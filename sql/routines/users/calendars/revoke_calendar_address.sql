-- users.revoke_calendar_address: revoke the secret address of the caller's calendar, if there is one.
--
-- Refuses: 401 unauthenticated, 403 forbidden.

create or replace function users.revoke_calendar_address()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_user_id uuid := (users.own_profile() ->> 'id')::uuid;
begin
    delete from users.calendar_addresses as a
    where a.user_id = the_user_id;
end;
$$;

comment on function users.revoke_calendar_address() is 'Revoke the secret address of the caller''s calendar.';

grant execute on function users.revoke_calendar_address() to authenticated, service_role;
