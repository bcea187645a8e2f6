-- ops.caller_is_service: return whether a schedule, a queue or another service calls.
--
-- The login limits the claims (ops.claims): those of marquee_public and marquee_people never make a service. The role
-- alone proves nothing, because a statement can pass the checks of its role and then reset it. It has no SET clause,
-- which would keep the planner from inlining it into policies. Its body is parsed at creation, so the search path does
-- not matter.

create or replace function ops.caller_is_service()
returns boolean
language sql
stable
parallel safe
return session_user not in ('marquee_public', 'marquee_people')
and current_setting('role') in ('service_role', 'none')
and coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' = 'service_role', false);

comment on function ops.caller_is_service() is
'Return whether the login, the role and the claims are those of a schedule, a queue or another service.';

grant execute on function ops.caller_is_service() to app_read, app_write;
