-- ops.after_migration: what must be done after migrations, each time: partitions, and the names of time zones.
--
-- Called by the runner of migrations, as their owner. A time zone that the server no longer knows is forgotten unless
-- something still names it. Idempotent.

create or replace function ops.after_migration()
returns void
language plpgsql
security invoker
set search_path = ''
as $$
declare
    outcome jsonb;
    gone text;
begin
    insert into ref.timezones (name)
    select z.name
    from pg_catalog.pg_timezone_names as z
    where z.name ~ '^[A-Z]' and z.name !~ '^(posix|right)/'
    on conflict do nothing;

    for gone in
        select t.name
        from ref.timezones as t
        where not exists (select from pg_catalog.pg_timezone_names as z where z.name = t.name)
    loop
        begin
            delete from ref.timezones as t
            where t.name = gone;
        exception
            when foreign_key_violation then
                null;  -- in use
        end;
    end loop;

    outcome := ops.maintain_partitions();
    if outcome -> 'failed' <> '[]' then
        raise exception 'partitions could not be made: %', outcome -> 'failed';
    end if;
end;
$$;

comment on function ops.after_migration() is 'Make partitions and refresh time zones; called after each migration.';
