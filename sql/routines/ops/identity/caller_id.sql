-- ops.caller_id: return the id of the person who calls; null for anonymous callers and services.
--
-- Claims count as far as the login goes (ops.claims). An empty subject is nobody. Written into the policies that call
-- it, so it has no SET clause; its names are bound when it is made.

create or replace function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return case
    when session_user <> 'marquee_public' and current_setting('role') in ('authenticated', 'service_role', 'none')
    then nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
end;

comment on function ops.caller_id() is 'Who calls: the id of a profile, or null for anonymous callers and services.';

grant execute on function ops.caller_id() to app_read, app_write;
