-- ops.claims: return the verified claims of the caller; null for anonymous callers and where none were set.
--
-- A statement can write any claims, so they count only as far as the login goes: never for marquee_public. The role is
-- looked at too, and proves less, because one statement can pass the checks of its role and then drop it. Written into
-- the policies that call it, so it has no SET clause; its names are bound when it is made.

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
'The verified claims of the caller of this transaction; null for anonymous callers and where none were set.';

grant execute on function ops.claims() to app_read, app_write;
