-- events.record_move: remember when an event got its present start.
--
-- A row trigger on events.terms, whose start follows that of the event. A row that is shifted to another partition does
-- not move (ops.is_partition_shift).

create or replace function events.record_move()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not ops.is_partition_shift(old.starts_at, new.starts_at) then
        new.moved_at := statement_timestamp();
    end if;
    return new;
end;
$$;

create or replace trigger record_move before update of starts_at on events.terms
for each row when (old.starts_at is distinct from new.starts_at)
execute function events.record_move();
