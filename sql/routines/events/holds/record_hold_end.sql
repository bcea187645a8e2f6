-- events.record_hold_end: record when a hold stopped reserving seats.
--
-- An expired hold ends at its expiry, even if a job notices it later. Any other hold ends now. A row trigger before the
-- change of state.

create or replace function events.record_hold_end()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    new.ended_at := case when new.status = 'expired' then new.expires_at else statement_timestamp() end;
    return new;
end;
$$;

create or replace trigger record_hold_end before update of status on events.holds
for each row when (old.status = 'active' and new.status <> 'active') execute function events.record_hold_end();
