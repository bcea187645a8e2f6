-- ops.caller_id: return the id of the person who calls; null for anonymous callers and services.
--
-- An empty subject is nobody. Written into the policies that call it, so it has no SET clause.

create or replace function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid;

comment on function ops.caller_id() is 'Who calls: the id of a profile, or null for anonymous callers and services.';
