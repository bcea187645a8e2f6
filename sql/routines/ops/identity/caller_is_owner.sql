-- ops.caller_is_owner: return whether the database's owner reads directly, for example in psql, and for no caller.
--
-- For routines that check their caller inside views, because row security does not apply to the owner either. The
-- logins of the functions may write no table, so they never count. It has no SET clause, as ops.caller_is_service has
-- none. Its body is parsed at creation, so the search path does not matter.

create or replace function ops.caller_is_owner()
returns boolean
language sql
stable
parallel safe
return current_setting('role') = 'none'
and nullif(current_setting('request.jwt.claims', true), '') is null
and has_table_privilege(session_user, 'payments.entries', 'insert');

comment on function ops.caller_is_owner() is
'Return whether the database''s owner reads directly, and for no caller.';
