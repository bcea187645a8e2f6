-- ops.refuse_access_change: refuse every update, deletion and truncation of the access log, for every caller.
--
-- The one exception is ops.create_partition, which moves rows out of the default partition by shifting their time by a
-- thousand years and back. Retention drops whole partitions, which fires no trigger. The triggers are `enable always`,
-- so that they also fire in a session with the replica role.
--
-- Raises integrity_constraint_violation, which no route translates, because no route reaches this.

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

    -- A shifted row that returns moves to another partition, which fires a deletion in the old one.
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
