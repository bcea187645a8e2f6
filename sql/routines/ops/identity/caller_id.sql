-- ops.caller_id: return the id of the person who calls; null for anonymous callers and services.
--
-- The login limits the claims (ops.claims). An empty subject counts as anonymous. It has no SET clause, which would
-- keep the planner from inlining it into policies. Its body is parsed at creation, so the search path does not matter.

create or replace function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return case
    when session_user <> 'marquee_public' and current_setting('role') in ('authenticated', 'service_role', 'none')
    then nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
end;

comment on function ops.caller_id() is
'Return the id of the profile that calls; null for anonymous callers and services.';

grant execute on function ops.caller_id() to app_read, app_write;
