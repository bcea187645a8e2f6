-- ops.continue_migration: do one bounded step of the work that follows a migration; returns whether more remains.
--
-- The runner of migrations calls it after its transaction, until nothing remains, and each step commits. So the step
-- holds no lock of the migration. It writes listings of events that have none. Idempotent.

create or replace function ops.continue_migration()
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    return events.refresh_stale_listings(500) = 500;
end;
$$;

comment on function ops.continue_migration() is
'Do one bounded step of the work that follows a migration; returns whether more remains.';
