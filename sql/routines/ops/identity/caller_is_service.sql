-- ops.caller_is_service: return whether a schedule, a queue or another service calls.
--
-- Claims count as far as the login goes (ops.claims): those of marquee_public and marquee_people are never a service's.
-- The role alone does not prove it, because a statement can pass the checks of its role and then reset it. Written into
-- the policies that call it, so it has no SET clause; its names are bound when it is made.

create or replace function ops.caller_is_service()
returns boolean
language sql
stable
parallel safe
return session_user not in ('marquee_public', 'marquee_people')
and current_setting('role') in ('service_role', 'none')
and coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' = 'service_role', false);

comment on function ops.caller_is_service() is
'Whether the login, the role and the claims are those of a schedule, a queue or another service.';

grant execute on function ops.caller_is_service() to app_read, app_write;
