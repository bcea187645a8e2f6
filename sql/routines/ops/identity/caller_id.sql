-- ops.caller_id: return the id of the person who calls; null for anonymous callers and services.
--
-- Claims count only for a role that may have them, as in ops.claims: a statement can write any claims, but the login
-- decides which role the session became. An empty subject is nobody. Written into the policies that call it, so it has
-- no SET clause; its names are bound when it is made.

create or replace function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return case
    when current_setting('role') in ('authenticated', 'service_role', 'none')
    then nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
end;

comment on function ops.caller_id() is 'Who calls: the id of a profile, or null for anonymous callers and services.';
