-- Check texts of several lines without planning the rule for each statement.
--
-- Each statement that writes a table prepares its CHECK constraints. It writes a rule in SQL into them and plans it.
-- This costs a booking 4 % of its instructions, although its reason is nearly always null. PostgreSQL keeps the plan of
-- a PL/pgSQL function for the session, and does not call a strict function for null. The rule is the same.

create or replace function ops.is_text(value text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    return is_text.value !~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]';
end;
$$;
