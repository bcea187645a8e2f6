-- ops.refuse_access_change: keep the access log as it was written, whoever asks.
--
-- The one change that passes is the move of a row out of the default partition by ops.create_partition, which puts it
-- aside by a thousand years and back. Retention drops whole partitions and fires no trigger. Fires always, even where a
-- session replays as a replica.
--
-- Raises integrity_constraint_violation: no route leads here.

create or replace function ops.refuse_access_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
    aside constant interval := interval '8766000 hours';
begin
    if
        tg_op = 'UPDATE'
        and to_jsonb(new) - 'accessed_at' = to_jsonb(old) - 'accessed_at'
        and new.accessed_at in (old.accessed_at - aside, old.accessed_at + aside)
    then
        return new;
    end if;

    -- A row that returns from aside enters another partition, which is a deletion in the old one.
    if tg_op = 'DELETE' and old.accessed_at < timestamptz '1900-01-01 00:00:00+00' then
        return old;
    end if;

    raise exception using errcode = 'integrity_constraint_violation', constraint = 'access_log_is_append_only',
        message = format('The access log is only ever added to: %s is refused.', lower(tg_op));
end;
$$;

create or replace trigger refuse_change before update or delete on ops.access_log
for each row execute function ops.refuse_access_change();

create or replace trigger refuse_truncation before truncate on ops.access_log
for each statement execute function ops.refuse_access_change();

alter table ops.access_log enable always trigger refuse_change;
alter table ops.access_log enable always trigger refuse_truncation;
