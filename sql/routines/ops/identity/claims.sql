-- ops.claims: return the verified claims of the caller; null for anonymous callers and where none are set.
--
-- Any statement can set claims, so the login limits them: those of marquee_public never count. The role is checked too,
-- but proves less, because one statement can pass the checks of its role and then drop it. It has no SET clause, which
-- would keep the planner from inlining it into policies. Its body is parsed at creation, so the search path does not
-- matter.

create or replace function ops.claims()
returns jsonb
language sql
stable
parallel safe
return case
    when session_user <> 'marquee_public' and current_setting('role') in ('authenticated', 'service_role', 'none')
    then nullif(current_setting('request.jwt.claims', true), '')::jsonb
end;

comment on function ops.claims() is
'Return the verified claims of this transaction''s caller; null for anonymous callers and where none are set.';

grant execute on function ops.claims() to app_read, app_write;
